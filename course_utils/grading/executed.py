"""The executed pairs of the solutions: solutions/NN_slug.ipynb, run on real data, for people who only read."""

from __future__ import annotations

import time

import nbformat
from nbformat import NotebookNode

from course_utils.errors import CourseError
from course_utils.grading.build import SOURCE_KEY
from course_utils.grading.course import Lesson, write_atomic
from course_utils.grading.stage import read_source
from course_utils.running.runner import Settings, execute, kernel_variables

MAX_BYTES = 1_000_000
"""A larger notebook is slow to show on code-hosting sites."""


def execute_solution(lesson: Lesson, dataset: str) -> float:
    """Run the lesson's solution on `dataset` and write its executed pair; returns the seconds it took.

    Raises CourseError, and writes nothing, if a cell raises or the notebook grows too large.
    """
    started = time.monotonic()
    notebook = read_source(lesson)
    environment = kernel_variables(COURSE_DATASET=dataset, COURSE_BUDGET="full", COURSE_CLAIMS="strict")
    settings = Settings(cell_timeout=1800, notebook_timeout=3600, environment=environment)
    text, outcome = execute(nbformat.writes(notebook), settings)
    executed = nbformat.reads(text, as_version=4)
    for number, cell in enumerate(executed.cells):
        problem = next((o for o in cell.get("outputs", []) if o.output_type == "error"), None)
        if problem:
            raise CourseError(f"{name_of(lesson, cell, number)} raised {problem.ename}: {problem.evalue}")
    if outcome.status != "ok":
        cell = executed.cells[min(outcome.reached, len(executed.cells) - 1)]
        raise CourseError(f"{name_of(lesson, cell, outcome.reached)}: {outcome.message}")
    for cell in executed.cells:
        if cell.cell_type == "code":  # a progress bar that has wiped itself out leaves only blanks
            cell.outputs = [o for o in cell.outputs if o.output_type != "stream" or o.text.strip()]
    executed.metadata[SOURCE_KEY] = {"source_sha256": lesson.fingerprint, "dataset": dataset}
    data = (nbformat.writes(executed) + "\n").encode()
    if len(data) > MAX_BYTES:
        raise CourseError(f"{lesson.executed}: executed, it has {len(data):,} bytes; at most {MAX_BYTES:,} are allowed")
    write_atomic(lesson.executed, data)
    return time.monotonic() - started


def name_of(lesson: Lesson, cell: NotebookNode, number: int) -> str:
    """`solutions/01_x.py, cell 12 (ex-01-1-y)`: where a reader finds the cell."""
    first = cell.source.strip().splitlines()[0] if cell.source.strip() else ""
    label = cell.metadata.get("nbgrader", {}).get("grade_id") or first
    return f"solutions/{lesson.source.name}, cell {number + 1} ({label})"
