"""The command `course sandbox`.

Typer and Rich are all that is imported before it runs, so that `course --help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

out = Console(highlight=False)


def sandbox(
    install: Annotated[
        bool, typer.Option("--install", help="Also write the kernel course-sandbox, for nbgrader and papermill.")
    ] = False,
) -> None:
    """Say what a sandbox for submissions is made of on this machine, and what limits it has."""
    from course_utils.grading.sandbox.kernelspec import install as install_kernel
    from course_utils.grading.sandbox.machine import report as sandbox_report

    for subject, line in sandbox_report().items():
        out.print(f"{subject:<14}{line}", soft_wrap=True)
    if install:
        out.print(f"wrote {install_kernel()}", soft_wrap=True)
