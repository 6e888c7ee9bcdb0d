"""The checks of lesson 01 accept every right answer and refuse every known mistake by name, in any world.

The answers are the reference's and those of tests/submissions/01_explicit_mf, which real nbgrader grades in another
test. The ladder trains a model for each answer, so it is climbed once each, on the synthetic data set by default.
"""

import numpy as np
import pytest
from corpus import (
    JUNK,
    Attempt,
    assert_is_as_expected,
    assert_is_explained,
    assert_is_refused,
    assert_learnt_by_heart_earns_nothing,
    attempts,
    expected_of,
    given,
    submissions,
    verdicts,
)

from course_utils.checks import explicit_mf
from course_utils.checks.explicit_mf.rungs import RUNGS
from course_utils.checks.framework import checks_of
from course_utils.checks.ladder import bars
from course_utils.checks.verdict import Verdict

LESSON = "01_explicit_mf"
LADDER = "ex-01-13-ladder"
CHECKS = checks_of(explicit_mf)
SEEDS = range(21)
SMALL = [(name, grade_id) for name, grade_id in given(LESSON) if grade_id != LADDER]
CLIMBS = [name for name, grade_id in given(LESSON) if grade_id == LADDER]


@pytest.fixture(autouse=True)
def _synthetic(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "synthetic")


def verdict_on(name: str, grade_id: str, seed: int) -> Verdict:
    return verdicts(LESSON, name, SEEDS, left_out=LADDER)[grade_id][seed]


def climb(sources: dict[str, str], rest: str = "reference", seed: int = 0) -> Verdict:
    """The verdict of the ladder on a person's notebook."""
    for grade_id, attempt in attempts(LESSON, sources, rest):
        if grade_id == LADDER:
            return attempt.verdict(seed)
    raise AssertionError("the lesson has no ladder")


@pytest.mark.parametrize(("name", "grade_id"), SMALL)
def test_a_known_answer_gets_its_mark_and_its_words_in_twenty_one_worlds(name, grade_id):
    for seed in SEEDS:
        assert_is_as_expected(verdict_on(name, grade_id, seed), expected_of(LESSON, name, grade_id), seed)


@pytest.mark.parametrize("name", CLIMBS)
def test_a_known_model_gets_as_high_on_the_ladder_as_it_should(name):
    patch = submissions(LESSON)[name]
    assert_is_as_expected(climb(patch.sources, patch.rest), expected_of(LESSON, name, LADDER))


@pytest.mark.realdata
@pytest.mark.parametrize("name", CLIMBS)
def test_a_known_model_gets_as_high_on_the_ladder_of_the_genuine_ratings(name, monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "ml-100k")
    patch = submissions(LESSON)[name]
    assert_is_as_expected(climb(patch.sources, patch.rest, seed=101), expected_of(LESSON, name, LADDER))


def test_the_reference_gets_full_points_on_everything():
    for _, attempt in attempts(LESSON, {}, "reference"):
        verdict = attempt.verdict(0)
        assert (verdict.points, verdict.status) == (attempt.check.points, "ok"), verdict
        assert verdict.saw


def test_a_wrong_answer_is_told_what_was_called_and_what_was_expected():
    for name, grade_id in SMALL:
        verdict = verdict_on(name, grade_id, 0)
        if verdict.status == "failed":
            assert_is_explained(verdict)


def test_what_was_learnt_by_heart_in_the_public_world_earns_nothing_in_a_secret_one():
    for grade_id, attempt in attempts(LESSON, {}, "reference"):
        if grade_id != LADDER:
            assert_learnt_by_heart_earns_nothing(attempt.check, attempt.answers, seed=7)


MODULES = ("matrix_factorization", "biased_mf", "collab_f_net")
FUNCTIONS = [name for name in CHECKS if name not in (*MODULES, "decaying_adam")]


@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_strange_result_breaks_a_judge_or_earns_points(name, kind):
    assert_is_refused(Attempt(CHECKS[name], (lambda *args: JUNK[kind],)).verdict(0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("scores[:, None]", "One score for each test pair"),
        ("scores.sort().values", "The scores are sorted"),
        ("scores / 5", "Scores are stars, from 1 to 5"),
        ("scores.clamp(0, 1)", "Scores are stars, from 1 to 5"),
        ("scores.round()", "Whole stars only"),
        ("scores * float('nan')", "NaN or infinite"),
    ],
)
def test_the_ladder_names_what_was_done_to_good_scores(change, words):
    source = f"""
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    users, items, stars = (column.numpy() for column in train)
    model = DampedBiases().fit(users, items, stars, n_users=n_users, n_items=n_items)
    scores = torch.as_tensor(model.predict(user_ids.numpy(), item_ids.numpy()))
    return {change}
"""
    assert words in climb({LADDER: source}).message


def test_the_rungs_are_worth_one_point_each_and_rise():
    for dataset in ("ml-100k", "synthetic"):
        assert (np.diff(bars(dataset, RUNGS)) < 0).all()
    assert [rung.points for rung in RUNGS] == [1, 1, 1, 1]
