"""The known submissions, one exercise at a time and without a kernel: for the fast tests of the checks.

A person's notebook is run as far as the checks look at it: the lesson's imports, its settings, then every exercise in
order, from the person's file or else as its line `# rest:` says, all in one namespace.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pandas as pd
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

from course_utils.checks.framework import Check, World, checks_of
from course_utils.checks.verdict import Verdict
from course_utils.grading.nbgrader_settings import shared_settings
from course_utils.grading.patches import Expectation, Patch, read_patches

ROOT = Path(__file__).resolve().parent.parent

JUNK = {
    "nothing": None,
    "text": "0.5",
    "NaN": float("nan"),
    "an empty list": [],
    "a ragged list": [[1, 2], [3]],
    "a complex number": 1 + 2j,
    "a large array": np.zeros((400, 400)),
    "a set": {1, 2},
    "an empty dict": {},
    "a dict of texts": {"a": "b"},
    "numbers under other names": {"a": [1.0], 3: [2.0]},
    "a table": pd.DataFrame({"item_id": ["x", "y"], "title": [1, 2], "genres": [None, 3]}),
    "two tables": (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": ["x"]})),
    "two texts": ("a", "b"),
    "two nothings": (None, None),
    "three texts": ("a", "b", "c"),
    "three numbers": (1.5, 2.5, 3.5),
    "pairs of texts": [("a", "b"), ("c", "d")],
}
"""What no exercise asks for, and a function of a student may return all the same."""


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
def checks(lesson: str) -> dict[str, Check]:
    """Name to check of the module that a lesson's notebook imports as `check`."""
    return checks_of(begun(lesson)["check"])


def given(lesson: str) -> list[tuple[str, str]]:
    """(name of a submission, grade id) of every cell that the known submissions of a lesson hold."""
    return [(name, grade_id) for name, patch in submissions(lesson).items() for grade_id in patch.sources]


def expected_of(lesson: str, name: str, grade_id: str) -> Expectation:
    """The mark that a submission's file asks for one of its cells."""
    return submissions(lesson)[name].expectations[grade_id.removeprefix("ex-")]


@functools.cache
def verdicts(lesson: str, name: str, seeds: Sequence[int], left_out: str = "") -> dict[str, dict[int, Verdict]]:
    """Grade id to the verdicts by seed, for the cells that a submission gives, but for one grade id to leave out."""
    patch = submissions(lesson)[name]
    return {
        grade_id: {seed: attempt.verdict(seed) for seed in seeds}
        for grade_id, attempt in attempts(lesson, patch.sources, patch.rest)
        if grade_id in patch.sources and grade_id != left_out
    }


def assert_is_as_expected(verdict: Verdict, expected: Expectation, seed: int = 0) -> None:
    assert (verdict.points, verdict.status) == (expected.points, expected.status), f"seed {seed}: {verdict}"
    for words in expected.words:
        assert words in verdict.message, f"seed {seed}: {verdict}"
    passed = verdict.ladder.rungs[: verdict.ladder.n_passed] if verdict.ladder else ()
    if verdict.check == "ladder":  # the figure of it shows as many rungs passed as there are points
        assert sum(rung.points for rung in passed) == verdict.points, verdict.ladder


def assert_is_explained(verdict: Verdict) -> None:
    """A wrong answer is told what was called, what came back, what was expected, and the likely slip."""
    assert verdict.called, verdict
    assert verdict.came_back, verdict
    assert verdict.expected, verdict
    assert verdict.slip, verdict


def assert_is_refused(verdict: Verdict) -> None:
    """A strange result earns nothing, and is judged: the judge itself did not break."""
    assert (verdict.points, verdict.status) == (0, "failed"), verdict
    assert "could not be judged" not in verdict.message, verdict
    assert verdict.expected, verdict
    assert verdict.slip, verdict


def assert_learnt_by_heart_earns_nothing(check: Check, answers: tuple, seed: int) -> None:
    """What a right answer gives in the public world is right there, and worth nothing in the world of a seed."""
    seen = check.observe(answers, world_of(check, 0), 0)
    assert check.conclude(seen, world_of(check, 0)).status == "ok", check
    assert check.conclude(seen, world_of(check, seed)).points == 0, check


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
    namespace = begun(lesson)
    for grade_id, given in exercises(lesson, rest).items():
        error = ""
        try:
            exec(compile(handed_in.get(grade_id, given), f"<{grade_id}>", "exec"), namespace)
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        yield grade_id, attempt(check_cells(lesson)[grade_id], namespace, error)


def begun(lesson: str) -> dict:
    """The namespace of a lesson's notebook before its first exercise."""
    namespace = {"__name__": "notebook"}
    for source in preamble(lesson):
        exec(source, namespace)
    return namespace


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
