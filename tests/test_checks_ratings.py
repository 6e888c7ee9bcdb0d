"""The checks of lesson 00 accept every right answer and refuse every known mistake, on any world.

The answers are those of tests/submissions/00_ratings, which real nbgrader grades in another test, and the reference's.
"""

import pytest
from corpus import (
    JUNK,
    Attempt,
    assert_is_as_expected,
    assert_is_refused,
    assert_learnt_by_heart_earns_nothing,
    attempts,
    submissions,
)

from course_utils.checks import ratings
from course_utils.checks.framework import checks_of
from course_utils.grading.patches import Expectation, Patch
from course_utils.running.verdicts import exercise_of

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


def assert_gets_its_marks(patch: Patch, seeds: range) -> None:
    for attempt, expected in answers_of(patch).values():
        for seed in seeds:
            assert_is_as_expected(attempt.verdict(seed), expected, seed)


@pytest.mark.parametrize("patch", [REFERENCE, *submissions(LESSON).values()], ids=lambda patch: patch.name)
def test_every_known_answer_gets_its_mark_in_several_worlds(patch):
    assert_gets_its_marks(patch, SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("patch", [REFERENCE, *submissions(LESSON).values()], ids=lambda patch: patch.name)
def test_every_known_answer_gets_its_mark_in_a_hundred_worlds(patch):
    assert_gets_its_marks(patch, MORE_SEEDS)


@pytest.mark.parametrize("name", CHECKS)
def test_an_answer_learnt_by_heart_in_the_public_world_is_wrong_in_a_secret_one(name):
    attempt, _ = answers_of(REFERENCE)[name]
    assert_learnt_by_heart_earns_nothing(attempt.check, attempt.answers, seed=1)


@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("name", CHECKS)
def test_no_answer_breaks_a_judge_or_earns_points_by_being_strange(name, kind):
    assert_is_refused(Attempt(CHECKS[name], (lambda *args: JUNK[kind],)).verdict(0))
