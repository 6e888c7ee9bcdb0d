"""The checks of lesson 00 accept every right answer and refuse every known mistake, on any world.

The answers are those of tests/submissions/00_ratings, which real nbgrader grades in another test, and the reference's.
"""

import numpy as np
import pandas as pd
import pytest
from corpus import attempts, submissions

from course_utils.checks import ratings
from course_utils.checks.framework import Check, checks_of
from course_utils.grading.patches import Expectation, Patch
from course_utils.grading.verdicts import exercise_of

LESSON = "00_ratings"
CHECKS = checks_of(ratings)
SEEDS = range(5)
MORE_SEEDS = range(5, 100)
REFERENCE = Patch("reference", LESSON)


def answers_of(patch: Patch) -> dict:
    """Name of the check -> (attempt, expected mark) for every exercise of a submission."""
    answers = {}
    for grade_id, attempt in attempts(LESSON, patch.sources, patch.rest):
        full = Expectation(attempt.check.points, "ok")
        rest = full if patch.rest == "reference" else Expectation(0.0, "not_attempted")
        answers[attempt.check.name] = attempt, patch.expectations.get(exercise_of(grade_id), rest)
    return answers


def verdict_on(check: Check, answer, seed: int):
    world = check.world(seed)
    return check.conclude(check.observe((answer,), world, seed), world)


def assert_gets_its_marks(patch: Patch, seeds: range) -> None:
    for attempt, expected in answers_of(patch).values():
        for seed in seeds:
            verdict = attempt.verdict(seed)
            assert (verdict.points, verdict.status) == (expected.points, expected.status), f"seed {seed}: {verdict}"
            assert all(words in verdict.message for words in expected.words), f"seed {seed}: {verdict}"


@pytest.mark.parametrize("patch", [REFERENCE, *submissions(LESSON).values()], ids=lambda patch: patch.name)
def test_every_known_answer_gets_its_mark_in_several_worlds(patch):
    assert_gets_its_marks(patch, SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("patch", [REFERENCE, *submissions(LESSON).values()], ids=lambda patch: patch.name)
def test_every_known_answer_gets_its_mark_in_a_hundred_worlds(patch):
    assert_gets_its_marks(patch, MORE_SEEDS)


def test_the_solution_has_one_exercise_for_every_check():
    assert set(answers_of(REFERENCE)) == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_the_corpus_holds_two_more_right_answers_and_three_mistakes_for_every_exercise(name):
    slug = name.replace("_", "-")
    sources = {"ok": set(), "failed": set(), "error": set()}
    for patch in submissions(LESSON).values():
        for exercise, expected in patch.expectations.items():
            if exercise.split("-", 2)[2] == slug:
                sources[expected.status].add(patch.sources[f"ex-{exercise}"])
    assert len(sources["ok"]) >= 2
    assert len(sources["failed"]) >= 3


@pytest.mark.parametrize("name", CHECKS)
def test_an_answer_learnt_by_heart_in_the_public_world_is_wrong_in_a_secret_one(name):
    check, answer = CHECKS[name], answers_of(REFERENCE)[name][0].answers
    learnt_by_heart = check.observe(answer, check.world(0), 0)
    assert check.conclude(learnt_by_heart, check.world(0)).status == "ok"
    assert check.conclude(learnt_by_heart, check.world(1)).points == 0


JUNK = {
    "nothing": None,
    "text": "0.5",
    "NaN": float("nan"),
    "an empty list": [],
    "a ragged list": [[1, 2], [3]],
    "a complex number": 1 + 2j,
    "a large array": np.zeros((400, 400)),
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
    verdict = verdict_on(CHECKS[name], lambda *args: JUNK[kind], seed=0)
    assert (verdict.points, verdict.status) == (0, "failed")
    assert "could not be judged" not in verdict.message
    assert verdict.expected
    assert verdict.slip
