"""The checks of lesson 00 accept every right answer and refuse every known mistake, on any world.

The answers are those of tests/submissions/00_ratings, which real nbgrader grades in another test, and the reference's.
"""

import re
from functools import cache
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest

from course_utils.checks import ratings
from course_utils.checks.framework import checks_of

ROOT = Path(__file__).parent.parent
CHECKS = checks_of(ratings)
SEEDS = range(5)
MORE_SEEDS = range(5, 100)
EXPECT = re.compile(r'# expect: (?P<points>[\d.]+) (?P<status>\w+)(?: "(?P<words>.*)")?')


def name_of(grade_id: str) -> str:
    """`ex-00-2-head-share` is checked by `head_share`."""
    return grade_id.split("-", 3)[3].replace("-", "_")


@cache
def reference() -> dict[str, str]:
    """The source of each exercise's answer in the solution, by the name of its check."""
    notebook = jupytext.read(ROOT / "solutions" / "00_ratings.py")
    ids = {cell.metadata.get("nbgrader", {}).get("grade_id", ""): cell.source for cell in notebook.cells}
    return {name_of(grade_id): source for grade_id, source in ids.items() if grade_id.startswith("ex-")}


@cache
def known_answers() -> dict[tuple[str, str], tuple[str, float, str, str]]:
    """(submission, check) -> source, expected points, status, and words of the message."""
    answers = {}
    for path in sorted((ROOT / "tests" / "submissions" / "00_ratings").glob("*.py")):
        for cell in jupytext.read(path).cells:
            if cell.cell_type == "code" and "title" in cell.metadata:
                expected = EXPECT.search(cell.source)
                points, status, words = expected["points"], expected["status"], expected["words"] or ""
                answers[path.stem, name_of(cell.metadata.title)] = cell.source, float(points), status, words
    for name, source in reference().items():
        answers["reference", name] = source, CHECKS[name].points, "ok", ""
    return answers


def run(name: str, source: str, seed: int):
    """The verdict on an answer, in the world of a seed."""
    cell = {"np": np, "pd": pd}
    exec(source, cell)
    return verdict_on(name, cell[name], seed)


def verdict_on(name: str, answer, seed: int):
    world = CHECKS[name].world(seed)
    return CHECKS[name].conclude(CHECKS[name].observe((answer,), world, seed), world)


def assert_gets_its_mark(submission: str, name: str, seeds: range) -> None:
    source, points, status, words = known_answers()[submission, name]
    for seed in seeds:
        verdict = run(name, source, seed)
        assert (verdict.points, verdict.status) == (points, status), f"seed {seed}: {verdict}"
        assert words in verdict.message, f"seed {seed}: {verdict}"


@pytest.mark.parametrize(("submission", "name"), known_answers())
def test_every_known_answer_gets_its_mark_in_several_worlds(submission, name):
    assert_gets_its_mark(submission, name, SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize(("submission", "name"), known_answers())
def test_every_known_answer_gets_its_mark_in_a_hundred_worlds(submission, name):
    assert_gets_its_mark(submission, name, MORE_SEEDS)


def test_the_solution_has_one_exercise_for_every_check():
    assert set(reference()) == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_knows_two_more_right_answers_and_three_mistakes(name):
    sources = {status: set() for status in ("ok", "failed", "error")}
    for (submission, checked), (source, _, status, _) in known_answers().items():
        if checked == name and submission != "reference":
            sources[status].add(source)
    assert len(sources["ok"]) >= 2
    assert len(sources["failed"]) >= 3


@pytest.mark.parametrize("name", CHECKS)
def test_a_stub_counts_as_not_attempted(name):
    def stub(*args):
        raise NotImplementedError("still to do")

    verdict = verdict_on(name, stub, seed=0)
    assert (verdict.points, verdict.status) == (0, "not_attempted")


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_right_in_the_public_world_is_wrong_in_a_secret_one(name):
    cell = {"np": np, "pd": pd}
    exec(reference()[name], cell)
    learnt_by_heart = CHECKS[name].observe((cell[name],), CHECKS[name].world(0), 0)
    assert CHECKS[name].conclude(learnt_by_heart, CHECKS[name].world(0)).status == "ok"
    assert CHECKS[name].conclude(learnt_by_heart, CHECKS[name].world(1)).points < CHECKS[name].points


JUNK = {
    "nothing": None,
    "text": "0.5",
    "NaN": float("nan"),
    "an empty list": [],
    "a ragged list": [[1, 2], [3]],
    "a complex number": 1 + 2j,
    "a huge array": np.zeros((400, 400)),
    "a set": {1, 2},
    "a table": pd.DataFrame({"position": [1, 2]}),
    "two tables": (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": ["x"]})),
    "three texts": ("a", "b", "c"),
    "three numbers": (1.5, 2.5, 3.5),
    "two nothings": (None, None),
}


@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("name", CHECKS)
def test_no_answer_breaks_a_judge_or_earns_points_by_being_strange(name, kind):
    verdict = verdict_on(name, lambda *args: JUNK[kind], seed=0)
    assert (verdict.points, verdict.status) == (0, "failed")
    assert "could not be judged" not in verdict.message
    assert verdict.expected
    assert verdict.slip
