"""Run a notebook as it stands and collect what its check cells say: for students, in their terminal or under pytest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_grade, is_solution

from course_utils.checks.verdict import Verdict
from course_utils.errors import CourseError
from course_utils.running.reading import Unreadable, parse_notebook
from course_utils.running.runner import Outcome, Settings, execute, kernel_variables
from course_utils.running.verdicts import check_cells, error_of, exercise_of, verdict_at, verdicts_of


@dataclass(frozen=True)
class SelfCheck:
    """What a run of a student's notebook showed.

    verdicts  exercise to verdict, in the notebook's order
    by_hand   one line for each question that a person marks
    stopped   one line for each cell that raised, besides the exercises' own and the checks; those that only lacked a
              name, after another had stopped, are counted
    """

    verdicts: dict[str, Verdict]
    by_hand: list[str]
    stopped: list[str]


def open_notebook(path: Path) -> NotebookNode:
    """The notebook in `path`, made sure that it has check cells. Raises CourseError."""
    if not path.is_file():
        raise CourseError(f"{path}: there is no such file")
    if path.suffix == ".py":
        raise CourseError(f"{path} is a notebook's text version; make a notebook of it: jupytext --to ipynb {path}")
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
) -> SelfCheck:
    """Run the notebook in a kernel of its own.

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
    return SelfCheck(
        {exercise_of(grade_id): verdict for grade_id, verdict in verdicts_of(executed, outcome).items()},
        [about_question(cell) for cell in executed.cells if is_grade(cell) and is_solution(cell)],
        about_errors(executed.cells),
    )


def about_question(cell: NotebookNode) -> str:
    """Which question a person marks, and whether it has been answered."""
    data = cell.metadata.nbgrader
    answered = cell.source.strip() and data.get("checksum") != compute_checksum(cell)
    points = f"{float(data['points']):g} points, marked by hand"
    return f"{exercise_of(data['grade_id'])}: {points}" + ("" if answered else "; not answered yet")


def about_errors(cells: list[NotebookNode]) -> list[str]:
    """Where and why demonstrations stopped, a line each."""
    lines, lack = [], 0
    for cell in cells:
        error = error_of(cell) if cell.cell_type == "code" and "nbgrader" not in cell.metadata else None
        if error and error.ename == "NameError" and lines:
            lack += 1
        elif error:
            first_line = next((line for line in cell.source.splitlines() if line.strip()), "")
            lines.append(f"The cell that starts with `{first_line}` stopped: {error.ename}: {error.evalue}")
    return [*lines, f"After that, {lack} more lacked a name that an earlier cell gives."] if lack else lines
