"""A course of one tiny lesson, for tests of the machinery around lessons: real checks, real cells, no torch."""

import copy
import csv
import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

LESSON = "00_toy"
CONFIG = (Path(__file__).parent.parent / "nbgrader_config.py").read_text(encoding="utf-8")

CHECKS = '''
"""The checks of the toy lesson."""
import numpy as np

from course_utils.checks.expect import Finding, expect_close
from course_utils.checks.framework import World, check
from course_utils.checks.progress import progress


def numbers(rng):
    return World(public={"values": rng.normal(size=5)})


@check(points=2, call="double(values)", world=numbers)
def double(double, world):
    return {"doubled": double(world.values)}


@double.judge
def _(seen, world):
    yield expect_close(seen["doubled"], world.values + world.values, slip="Twice each value.", saw="all values doubled")


@check(points=3, call="climb()")
def ladder(climb, world):
    return {"height": climb()}


@ladder.judge
def _(seen, world):
    height = float(np.clip(seen["height"], 0, 3))
    yield Finding(height / 3, saw=f"stands on rung {height:g} of 3", expected="rung 3", slip="Climb on.")
'''


def metadata(grade_id: str, *, grade: bool, solution: bool, points: float | None = None) -> str:
    """The end of a cell's header line."""
    fields = [f'"grade": {str(grade).lower()}', f'"grade_id": "{grade_id}"']
    fields += [f'"locked": {str(grade and not solution).lower()}']
    fields += [] if points is None else [f'"points": {points}']
    return f'nbgrader={{{", ".join(fields)}, "schema_version": 3, "solution": {str(solution).lower()}, "task": false}}'


SOURCE = f"""
# %% [markdown]
# # A toy lesson

# %%
import os

import toy_checks as check

# %% {metadata("ex-00-1-double", grade=False, solution=True)}
def double(values):
    '''Twice each value.'''
    ### BEGIN SOLUTION
    twice = 2 * values  # the secret of doubling
    return twice
    ### END SOLUTION


# %% {metadata("check-00-1-double", grade=True, solution=False, points=2)}
check.double(double)

# %% {metadata("ex-00-2-ladder", grade=False, solution=True)}
def climb():
    ### BEGIN SOLUTION
    return 3
    ### END SOLUTION


# %% {metadata("check-00-2-ladder", grade=True, solution=False, points=3)}
check.ladder(climb)

# %% [markdown]
# Why does this matter?

# %% [markdown] {metadata("answer-00-3-why", grade=True, solution=True, points=4)}
# Because doubling is the mother of all growth.
""".lstrip()

DOUBLE = "def double(values):\n    return values + values"
WRONG = "def double(values):\n    return values"
CLIMB = "def climb():\n    return 3"


def make_course(folder: Path) -> Path:
    """A course of the one lesson in `folder`, with its checks in folder/site-packages; returns the folder.

    The name matters: the framework takes code that lies elsewhere for a student's.
    """
    for name, text in {
        f"solutions/{LESSON}.py": SOURCE,
        "nbgrader_config.py": CONFIG,
        "site-packages/toy_checks.py": CHECKS.lstrip(),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def importable(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the course's checks be imported here and in every process that a test starts."""
    checks = str(folder / "site-packages")
    patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [checks, os.environ.get("PYTHONPATH")])))
    patch.syspath_prepend(checks)


def place(notebook: NotebookNode, grade_id: str) -> int:
    """Where the cell with that grade id stands."""
    return next(
        index
        for index, cell in enumerate(notebook.cells)
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def answered(student_edition: NotebookNode, double: str = DOUBLE, climb: str = CLIMB, why: str = "") -> NotebookNode:
    """The student edition with these answers; an empty one leaves the stub."""
    notebook = copy.deepcopy(student_edition)
    for grade_id, source in {"ex-00-1-double": double, "ex-00-2-ladder": climb, "answer-00-3-why": why}.items():
        if source:
            notebook.cells[place(notebook, grade_id)].source = source
    return notebook


def hand_in(submitted: Path, student: str, work: NotebookNode | str, file: str = f"{LESSON}.ipynb") -> Path:
    """Put a notebook, or any text, where a student's submission lies."""
    path = submitted / student / LESSON / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(work if isinstance(work, str) else nbformat.writes(work), encoding="utf-8")
    return path


def read_csv(out: Path) -> dict[tuple[str, str], dict]:
    """The rows of a run's grades.csv by (student, exercise)."""
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        return {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}


def changed(notebook: NotebookNode, change: Callable[[NotebookNode], None]) -> NotebookNode:
    """A copy with the change made."""
    notebook = copy.deepcopy(notebook)
    change(notebook)
    return notebook
