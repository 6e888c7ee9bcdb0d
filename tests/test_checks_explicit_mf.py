"""The checks of lesson 01 accept every right answer and refuse every known mistake by name, in any world.

The answers are the reference's and those of tests/submissions/01_explicit_mf, which real nbgrader grades in another
test. The ladder trains a model for each answer, so it is climbed once each, on the synthetic data set by default.
"""

from functools import cache

import numpy as np
import pytest
from corpus import Attempt, attempts, exercises, submissions

from course_utils.checks import explicit_mf
from course_utils.checks.explicit_mf.rungs import RUNGS
from course_utils.checks.framework import checks_of
from course_utils.checks.ladder import bars
from course_utils.checks.verdict import Verdict
from course_utils.grading.patches import Expectation

LESSON = "01_explicit_mf"
LADDER = "ex-01-13-ladder"
CHECKS = checks_of(explicit_mf)
OTHER_SEEDS = range(1, 21)
GIVEN = [(name, grade_id) for name, patch in submissions(LESSON).items() for grade_id in patch.sources]
SMALL = [(name, grade_id) for name, grade_id in GIVEN if grade_id != LADDER]
CLIMBS = [name for name, grade_id in GIVEN if grade_id == LADDER]


@pytest.fixture(autouse=True)
def _synthetic(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "synthetic")


@cache
def verdicts(name: str) -> dict[str, dict[int, Verdict]]:
    """Grade id to the verdicts by seed, for the cells that a person gives; the ladder is left out."""
    patch = submissions(LESSON)[name]
    return {
        grade_id: {seed: attempt.verdict(seed) for seed in (0, *OTHER_SEEDS)}
        for grade_id, attempt in attempts(LESSON, patch.sources, patch.rest)
        if (name, grade_id) in SMALL
    }


def expected_of(name: str, grade_id: str) -> Expectation:
    return submissions(LESSON)[name].expectations[grade_id.removeprefix("ex-")]


def assert_is_as_expected(verdict: Verdict, expected: Expectation) -> None:
    assert (verdict.points, verdict.status) == (expected.points, expected.status), verdict
    for words in expected.words:
        assert words in verdict.message, verdict


def climb(sources: dict[str, str], rest: str = "reference", seed: int = 0) -> Verdict:
    """The verdict of the ladder on a person's notebook."""
    for grade_id, attempt in attempts(LESSON, sources, rest):
        if grade_id == LADDER:
            return attempt.verdict(seed)
    raise AssertionError("the lesson has no ladder")


@pytest.mark.parametrize(("name", "grade_id"), SMALL)
def test_a_known_answer_gets_its_mark_and_its_words(name, grade_id):
    assert_is_as_expected(verdicts(name)[grade_id][0], expected_of(name, grade_id))


@pytest.mark.parametrize(("name", "grade_id"), SMALL)
def test_a_known_answer_gets_its_mark_and_its_words_in_twenty_other_worlds(name, grade_id):
    for seed in OTHER_SEEDS:
        assert_is_as_expected(verdicts(name)[grade_id][seed], expected_of(name, grade_id))


@pytest.mark.parametrize("name", CLIMBS)
def test_a_known_model_gets_as_high_on_the_ladder_as_it_should(name):
    patch = submissions(LESSON)[name]
    assert_is_as_expected(climb(patch.sources, patch.rest), expected_of(name, LADDER))


@pytest.mark.realdata
@pytest.mark.parametrize("name", CLIMBS)
def test_a_known_model_gets_as_high_on_the_ladder_of_the_genuine_ratings(name, monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "ml-100k")
    patch = submissions(LESSON)[name]
    assert_is_as_expected(climb(patch.sources, patch.rest, seed=101), expected_of(name, LADDER))


def test_the_reference_gets_full_points_on_everything():
    for _, attempt in attempts(LESSON, {}, "reference"):
        verdict = attempt.verdict(0)
        assert (verdict.points, verdict.status) == (attempt.check.points, "ok"), verdict
        assert verdict.saw


def test_the_student_edition_as_it_comes_counts_as_not_attempted():
    for _, attempt in attempts(LESSON, {}, "stub"):
        verdict = attempt.verdict(0)
        assert (verdict.points, verdict.status) == (0, "not_attempted"), verdict
        assert "is still to do" in verdict.message


def test_the_lesson_has_one_exercise_for_every_check():
    checked = [attempt.check.name for _, attempt in attempts(LESSON, {}, "stub")]
    assert sorted(checked) == sorted(CHECKS)


@pytest.mark.parametrize("grade_id", exercises(LESSON, "reference"))
def test_every_exercise_has_two_more_right_answers_and_three_mistakes_on_file(grade_id):
    handed_in = [(submissions(LESSON)[n].sources[g], expected_of(n, g).status) for n, g in GIVEN if g == grade_id]
    assert len({source for source, status in handed_in if status == "ok"}) >= 2
    assert len({source for source, status in handed_in if status in ("failed", "error")}) >= 3


def test_a_wrong_answer_is_told_what_was_called_and_what_was_expected():
    for name, grade_id in SMALL:
        verdict = verdicts(name)[grade_id][0]
        if verdict.status == "failed":
            assert verdict.called, verdict
            assert verdict.came_back, verdict
            assert verdict.expected, verdict
            assert verdict.slip, verdict


def test_what_was_learnt_by_heart_in_the_public_world_earns_nothing_in_a_secret_one():
    for grade_id, attempt in attempts(LESSON, {}, "reference"):
        check = attempt.check
        if grade_id != LADDER:
            seen = check.observe(attempt.answers, check.world(0), 0)
            assert check.conclude(seen, check.world(0)).status == "ok"
            assert check.conclude(seen, check.world(7)).points == 0, check


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
    "numbers under other names": {"a": [1.0], 3: [2.0]},
}
MODULES = ("matrix_factorization", "biased_mf", "collab_f_net")
FUNCTIONS = [name for name in CHECKS if name not in (*MODULES, "decaying_adam")]


@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_strange_result_breaks_a_judge_or_earns_points(name, kind):
    verdict = Attempt(CHECKS[name], (lambda *args: JUNK[kind],)).verdict(0)
    assert (verdict.points, verdict.status) == (0, "failed"), verdict
    assert "could not be judged" not in verdict.message
    assert verdict.expected
    assert verdict.slip


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
