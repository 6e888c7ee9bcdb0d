"""What a check does to the notebook that it runs in: cards, and stops without a traceback."""

from __future__ import annotations

import sys

from course_utils.checks.verdict import VERDICT_MIME, Verdict


class Stop(Exception):
    """Stops a run of all cells. Shown as one line, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Stopped here: {self}"]


class NotAttempted(Stop):
    """The exercise is still to do."""


class CannotRun(Stop):
    """The check's world cannot be made, and that is not the answer's fault."""


class Interrupted(Stop, KeyboardInterrupt):
    """The person at the keyboard has stopped the check."""


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this code (a terminal IPython does not count)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and shell.has_trait("kernel")


def in_shell(name: str) -> object:
    """What a name stands for in the cells of the running notebook; None if for nothing, or without a notebook."""
    return sys.modules["IPython"].get_ipython().user_ns.get(name) if in_notebook() else None


def show(verdict: Verdict) -> None:
    """Display the verdict's card in the running notebook."""
    from IPython.display import display

    bundle = {"text/html": verdict.card(figure=True), "text/plain": str(verdict), VERDICT_MIME: verdict.as_dict()}
    display(bundle, raw=True)
