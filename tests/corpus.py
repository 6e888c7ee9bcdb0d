"""The known submissions, one exercise at a time and without a kernel: for the fast tests of the checks.

A person's notebook is run as far as the checks look at it: the lesson's imports, its settings, then every exercise in
order, from the person's file or else as its line `# rest:` says, all in one namespace.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

from course_utils.checks.framework import Check, World
from course_utils.checks.verdict import Verdict
from course_utils.grading.nbgrader_settings import shared_settings
from course_utils.grading.patches import Patch, read_patches

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Attempt:
    """What one check is called with; `error` says why the exercise's cell did not run, if it did not."""

    check: Check
    answers: tuple
    error: str = ""

    def verdict(self, seed: int) -> Verdict:
        """What the check concludes in the world of a seed."""
        if self.error:  # as the grader has it: the exercise's cell raised, so its check finds no answer
            return Verdict(self.check.name, 0.0, self.check.points, "error", came_back=self.error)
        world = world_of(self.check, seed)
        return self.check.conclude(self.check.observe(self.answers, world, seed), world)


@functools.cache
def world_of(check: Check, seed: int) -> World:
    return check.world(seed)


@functools.cache
def submissions(lesson: str) -> dict[str, Patch]:
    """The known submissions of a lesson by name."""
    return {patch.name: patch for patch in read_patches(ROOT / "tests" / "submissions" / lesson)}


@functools.cache
def preamble(lesson: str) -> list[str]:
    """The sources of a lesson's first two code cells, which the house style keeps for imports and settings."""
    return [cell.source for cell in solution(lesson).cells if cell.cell_type == "code"][:2]


@functools.cache
def exercises(lesson: str, rest: str) -> dict[str, str]:
    """Exercise's grade id to the source of its cell: answered ("reference") or as a student gets it ("stub")."""
    notebook = solution(lesson)
    if rest == "stub":
        notebook, _ = ClearSolutions(config=shared_settings()).preprocess(notebook, {})
    return {grade_id: source for grade_id, source in graded_cells(notebook) if grade_id.startswith("ex-")}


@functools.cache
def check_cells(lesson: str) -> dict[str, str]:
    """Exercise's grade id to the source of its check cell."""
    cells = dict(graded_cells(solution(lesson)))
    return {grade_id: cells[grade_id.replace("ex-", "check-", 1)] for grade_id in exercises(lesson, "reference")}


def solution(lesson: str) -> NotebookNode:
    return nbformat.from_dict(jupytext.read(ROOT / "solutions" / f"{lesson}.py"))


def graded_cells(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """(grade id, source) of every cell that nbgrader knows."""
    return ((cell.metadata.nbgrader.grade_id, cell.source) for cell in notebook.cells if "nbgrader" in cell.metadata)


def attempts(lesson: str, handed_in: Mapping[str, str], rest: str) -> Iterator[tuple[str, Attempt]]:
    """Run a notebook's exercises in one fresh namespace, and stop after each.

    handed_in  exercise's grade id to the source of its cell
    rest       what the other cells hold: "reference" or "stub"
    yields     (grade id, attempt); a verdict asked for at once sees only the cells up to that one, as in a notebook
    """
    namespace = {"__name__": "notebook"}
    for source in preamble(lesson):
        exec(source, namespace)
    for grade_id, given in exercises(lesson, rest).items():
        error = ""
        try:
            exec(compile(handed_in.get(grade_id, given), f"<{grade_id}>", "exec"), namespace)
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        yield grade_id, attempt(check_cells(lesson)[grade_id], namespace, error)


def attempt(check_cell: str, namespace: dict, error: str = "") -> Attempt:
    """The call that a check cell makes, `check.name(answer, ...)`, noted down instead of made."""
    calls = []

    class Recorder:
        def __getattr__(self, name: str):
            return lambda *answers: calls.append((getattr(namespace["check"], name), answers))

    undefined = dict.fromkeys(re.findall(r"\w+", check_cell)) if error else {}
    exec(check_cell, {**undefined, **namespace, "check": Recorder()})
    ((check, answers),) = calls
    return Attempt(check, answers, error)
