"""From a notebook that ran to one verdict per check cell: judged here, or as the notebook itself shows it."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from dataclasses import replace

from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_utils.checks.framework import OBSERVATION_MIME
from course_utils.checks.verdict import VERDICT_MIME, Verdict, number
from course_utils.running.runner import TIMEOUT_NAME, Outcome

MEMORY_SIGNS = ("MemoryError", "can't allocate memory", "not enough memory")


def exercise_of(grade_id: str) -> str:
    """`01-4-mf` for `check-01-4-mf` and `answer-01-4-mf`: the name that a reader knows the exercise by."""
    return grade_id.partition("-")[2]


def check_cells(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    """The cells that a machine marks, with their places."""
    tagged = [(index, cell, cell.metadata.get("nbgrader", {})) for index, cell in enumerate(notebook.cells)]
    return [(index, cell) for index, cell, tags in tagged if tags.get("grade") and not tags.get("solution")]


Judge = Callable[[str, bytes], Verdict]
"""From a check cell's grade id and the observation that it left to the verdict."""


def verdicts_of(notebook: NotebookNode, outcome: Outcome, judge: Judge | None = None) -> dict[str, Verdict]:
    """Grade id to verdict of every check cell of an executed notebook; its status may also be timeout or memory.

    judge  concludes from the observations; without it, what the cells themselves show is believed, which is right for
           somebody who runs their own notebook and for nobody else
    """
    return {
        cell.metadata.nbgrader["grade_id"]: verdict_at(index, notebook, outcome, judge)
        for index, cell in check_cells(notebook)
    }


def verdict_at(index: int, notebook: NotebookNode, outcome: Outcome, judge: Judge | None = None) -> Verdict:
    """The verdict of the check cell at that place of an executed notebook."""
    cell = notebook.cells[index]
    wanted = f"ex-{exercise_of(cell.metadata.nbgrader['grade_id'])}"
    answers = (c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == wanted)
    return verdict_of(cell, next(answers, None), outcome if index >= outcome.reached else None, judge)


def verdict_of(
    cell: NotebookNode, answer: NotebookNode | None, never_ran: Outcome | None, judge: Judge | None
) -> Verdict:
    """The verdict of one check cell.

    answer     the cell that the exercise is solved in, if the notebook has it
    never_ran  how the run ended, if it ended before this cell did
    """
    name = exercise_of(cell.metadata.nbgrader["grade_id"])
    most = float(cell.metadata.nbgrader["points"])
    if never_ran:
        return nothing(name, most, never_ran.status, f"There is no verdict: {never_ran.message}.")
    error = error_of(cell)
    verdict = judged(cell, judge) if judge else shown_verdict(cell, name, most)
    if error and not (verdict and verdict.status == "not_attempted"):
        return verdict_on_error(name, most, error, answer)
    if not verdict:
        return nothing(name, most, "error", "The check cell ran, but left nothing to judge.")
    if verdict.status == "error" and any(sign in verdict.came_back for sign in MEMORY_SIGNS):
        return replace(verdict, status="memory")
    return verdict


def judged(cell: NotebookNode, judge: Judge) -> Verdict | None:
    """The judge's verdict on the last observation that a check cell left; None if it left none."""
    observation = observation_in(cell)
    return None if observation is None else judge(cell.metadata.nbgrader["grade_id"], observation)


def observation_in(cell: NotebookNode) -> bytes | None:
    """The last observation among a cell's outputs. What is no base64 comes as bytes that no judge can read."""
    left = [o.data[OBSERVATION_MIME] for o in cell.outputs if OBSERVATION_MIME in o.get("data", {})]
    if not left:
        return None
    try:
        return base64.b64decode(left[-1])
    except (TypeError, ValueError):
        return b""


def verdict_on_error(name: str, most: float, error: NotebookNode, answer: NotebookNode | None) -> Verdict:
    """The verdict of a check cell that raised: if the exercise's own cell had raised before, that is the reason."""
    first = error_of(answer) if answer is not None else None
    place, cause = ("The exercise's cell", first) if first else ("The check cell", error)
    text = f"{cause.ename}: {' '.join(str(cause.evalue).split())[:300]}"
    if cause.ename == TIMEOUT_NAME:
        return nothing(name, most, "timeout", f"{place} ran too long and was {cause.evalue}.")
    if cause.ename == "NotImplementedError":
        return nothing(name, most, "not_attempted", "Still to do.")
    status = "memory" if any(sign in text for sign in MEMORY_SIGNS) else "error"
    return nothing(name, most, status, f"{place} raised {text}.")


def error_of(cell: NotebookNode) -> NotebookNode | None:
    """The cell's error among its outputs; a timeout before any other."""
    errors = [o for o in cell.get("outputs", []) if o.output_type == "error"]
    return next((o for o in errors if o.ename == TIMEOUT_NAME), errors[0] if errors else None)


def shown_verdict(cell: NotebookNode, name: str, most: float) -> Verdict | None:
    """The verdict among a check cell's outputs: its last value, or what an untouched stub showed before it stopped."""
    records = [(o.output_type, o.data.get(VERDICT_MIME)) for o in cell.outputs if "data" in o]
    values = [record for kind, record in records if kind == "execute_result" and isinstance(record, dict)]
    displays = [record for kind, record in records if kind == "display_data" and isinstance(record, dict)]
    for record in (*values[-1:], *displays[-1:]):
        try:
            verdict = Verdict.from_dict(record)
            points = float(verdict.points)
        except (TypeError, ValueError):
            continue
        if math.isnan(points):
            continue
        texts = {key: str(getattr(verdict, key)) for key in ("saw", "called", "came_back", "expected", "slip")}
        points = min(max(points, 0.0), most)
        return Verdict(name, points=points, max_points=most, status=str(verdict.status), **texts)
    return None


def remove_observations(notebook: NotebookNode) -> None:
    """Take all observations out of the notebook's outputs: they are for judges, and may be large."""
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if OBSERVATION_MIME not in o.get("data", {})]


def nothing(name: str, most: float, status: str, reason: str) -> Verdict:
    """No points, and why."""
    return Verdict(name, points=0.0, max_points=most, status=status, slip=reason)


def write_verdict(cell: NotebookNode, verdict: Verdict) -> None:
    """Make the verdict the cell's only word: its card for people, and the number that nbgrader reads.

    What the cell printed stays, as standard output: nbgrader takes standard error for a failure.
    """
    printed = [o for o in cell.outputs if o.output_type == "stream"]
    for output in printed:
        output.name = "stdout"
    card = new_output("display_data", {"text/html": verdict.card(), "text/plain": str(verdict)})
    value = {"text/plain": number(verdict.points), VERDICT_MIME: verdict.as_dict()}
    cell.outputs = [*printed, card, new_output("execute_result", value, execution_count=cell.execution_count)]
