"""Run a notebook as it stands and collect what its check cells say: for students, in their terminal or under pytest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_utils.checks.verdict import Verdict
from course_utils.grading.course import CourseError
from course_utils.grading.repair import Unreadable, parse_notebook
from course_utils.grading.runner import Outcome, Settings, execute, kernel_variables
from course_utils.grading.verdicts import check_cells, exercise_of, verdict_at, verdicts_of


def open_notebook(path: Path) -> NotebookNode:
    """The notebook in `path`, made sure that it has check cells. Raises CourseError."""
    if not path.is_file():
        raise CourseError(f"{path}: there is no such file")
    try:
        notebook = parse_notebook(path.read_bytes(), str(path))
    except Unreadable as problem:
        raise CourseError(str(problem)) from problem
    for cell in notebook.cells:
        data = cell.metadata.get("nbgrader")
        if data is not None and not (isinstance(data, dict) and {"grade_id", "grade", "solution"} <= data.keys()):
            del cell.metadata["nbgrader"]
    if not check_cells(notebook):
        raise CourseError(f"{path} holds no check cells; is it a notebook of this course?")
    return notebook


def self_check(
    path: Path, timeout: int = 600, on_verdict: Callable[[Verdict], None] = lambda verdict: None
) -> dict[str, Verdict]:
    """Run the notebook in a kernel of its own; returns exercise to verdict, in the notebook's order.

    timeout     seconds that one cell may run
    on_verdict  called with each verdict as soon as its check has run
    """
    notebook = open_notebook(path)
    places = [index for index, _ in check_cells(notebook)]

    def on_cell(index: int, so_far: NotebookNode) -> None:
        if index in places:
            on_verdict(verdict_at(index, so_far, Outcome("ok", "", index + 1, 0.0)))

    settings = Settings(cell_timeout=timeout, notebook_timeout=7200, environment=kernel_variables())
    text, outcome = execute(nbformat.writes(notebook), settings, on_cell)
    executed = nbformat.reads(text, as_version=4)
    for index in places:
        if index >= outcome.reached:
            on_verdict(verdict_at(index, executed, outcome))
    return {exercise_of(grade_id): verdict for grade_id, verdict in verdicts_of(executed, outcome).items()}
