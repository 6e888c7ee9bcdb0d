"""The checks of lesson 02 accept every right answer and refuse every known mistake by name, in any world.

The answers are the reference's and those of tests/submissions/02_ncf_retrieval, which real nbgrader grades in another
test. Worlds are planted; the ladder alone reads a data set, and is climbed in fewer worlds because it trains.
"""

import subprocess
import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest
from corpus import Attempt, attempts, exercises, submissions

from course_utils.baselines.popularity import Popularity
from course_utils.checks import ncf_retrieval
from course_utils.checks.framework import World, checks_of
from course_utils.checks.ncf_retrieval import rungs
from course_utils.checks.verdict import Verdict
from course_utils.evaluation import ndcg_at, sampled_ranks
from course_utils.grading.patches import Expectation
from course_utils.negatives import SeenItems, sample_distinct_negatives

LESSON = "02_ncf_retrieval"
CHECKS = checks_of(ncf_retrieval)
OTHER_SEEDS = range(1, 9)
MORE_SEEDS = range(9, 60)
LADDER = "ex-02-14-ladder"
CLASSES = ("mlp", "ncf", "fresh_pairs")
GIVEN = [(name, grade_id) for name, patch in submissions(LESSON).items() for grade_id in patch.sources]


@pytest.fixture(autouse=True)
def _synthetic(monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "synthetic")


@cache
def handed_in(name: str) -> dict[str, Attempt]:
    """Grade id to the attempt, for the cells that a person gives."""
    patch = submissions(LESSON)[name]
    pairs = attempts(LESSON, patch.sources, patch.rest)
    return {grade_id: attempt for grade_id, attempt in pairs if grade_id in patch.sources}


@cache
def verdict_on(name: str, grade_id: str, seed: int) -> Verdict:
    return handed_in(name)[grade_id].verdict(seed)


def expected_of(name: str, grade_id: str) -> Expectation:
    return submissions(LESSON)[name].expectations[grade_id.removeprefix("ex-")]


def assert_is_as_expected(name: str, grade_id: str, seeds) -> None:
    expected = expected_of(name, grade_id)
    for seed in seeds:
        verdict = verdict_on(name, grade_id, seed)
        assert (verdict.points, verdict.status) == (expected.points, expected.status), f"seed {seed}: {verdict}"
        assert all(words in verdict.message for words in expected.words), f"seed {seed}: {verdict}"


@pytest.mark.parametrize(("name", "grade_id"), GIVEN)
def test_a_known_answer_gets_its_mark_and_its_words_in_nine_worlds(name, grade_id):
    assert_is_as_expected(name, grade_id, (0, 1) if grade_id == LADDER else (0, *OTHER_SEEDS))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "grade_id"), GIVEN)
def test_a_known_answer_gets_its_mark_and_its_words_in_fifty_more_worlds(name, grade_id):
    assert_is_as_expected(name, grade_id, range(9, 14) if grade_id == LADDER else MORE_SEEDS)


def test_the_reference_gets_full_points_on_everything_in_every_world():
    for grade_id, attempt in attempts(LESSON, {}, "reference"):
        for seed in (0,) if grade_id == LADDER else (0, *OTHER_SEEDS):
            verdict = attempt.verdict(seed)
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
    given = [(submissions(LESSON)[n].sources[g], expected_of(n, g).status) for n, g in GIVEN if g == grade_id]
    assert len({source for source, status in given if status == "ok"}) >= 2
    assert len({source for source, status in given if status in ("failed", "error")}) >= 3


def test_a_wrong_answer_is_told_what_was_called_and_what_was_expected():
    for name, grade_id in GIVEN:
        verdict = verdict_on(name, grade_id, 0)
        if verdict.status == "failed":
            assert verdict.called, verdict
            assert verdict.came_back, verdict
            assert verdict.expected, verdict
            assert verdict.slip, verdict


def test_what_was_learnt_by_heart_in_the_public_world_earns_nothing_in_a_secret_one():
    for grade_id, attempt in attempts(LESSON, {}, "reference"):
        check = attempt.check
        if grade_id == "ex-02-11-fit-best":  # what is seen is one epoch's number, which two worlds may share
            continue
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
    "a dict of texts": {"a": "b"},
    "a table": pd.DataFrame({"item_id": ["x", "y"], "title": [1, 2]}),
    "two texts": ("a", "b"),
    "two nothings": (None, None),
    "pairs of numbers": [(1, 2), (3, 4)],
}


@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("name", [name for name in CHECKS if name not in CLASSES])
def test_no_strange_result_breaks_a_judge_or_earns_points(name, kind):
    verdict = Attempt(CHECKS[name], (lambda *args, **options: JUNK[kind],)).verdict(0)
    assert (verdict.points, verdict.status) == (0, "failed"), verdict
    assert "could not be judged" not in verdict.message
    assert verdict.expected
    assert verdict.slip


@pytest.mark.parametrize("kind", JUNK)
def test_no_strange_module_breaks_the_judges_of_classes_or_earns_points(kind):
    import lightning
    import torch

    class Strange(lightning.LightningModule):
        def __init__(self, *given):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, *given):
            return JUNK[kind]

        def train_dataloader(self):
            return JUNK[kind]

    for name in CLASSES:
        verdict = Attempt(CHECKS[name], (Strange,)).verdict(0)
        assert verdict.points == 0
        assert verdict.status in ("failed", "error")
        assert "could not be judged" not in verdict.message, verdict


def test_judges_and_worlds_work_without_torch():
    """As the trusted grader has it: probes run elsewhere, and torch is not loaded."""
    code = """
import sys
from course_utils.checks import ncf_retrieval
from course_utils.checks.framework import checks_of
from course_utils.checks.observation import pack
for check in checks_of(ncf_retrieval).values():
    assert check.conclude(pack({}), check.world(3)).points == 0, check
assert not {"torch", "lightning"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def ladder_on(world: World, scores: np.ndarray) -> Verdict:
    check = CHECKS["ladder"]
    return check.conclude(check.observe((lambda *given: scores,), world, 0), world)


def test_the_expected_ndcg_is_the_mean_over_many_draws_of_the_negatives(rng):
    n_users, n_items = 300, 250
    met = rng.random((n_users, n_items)) < 0.1
    targets = rng.integers(n_items, size=n_users)
    met[np.arange(n_users), targets] = False
    scores = rng.normal(size=(n_users, n_items)) + np.eye(n_items)[targets] * 1.5
    exact = rungs.expected_ndcg(scores, targets, met).mean()
    known = met.copy()
    known[np.arange(n_users), targets] = True
    seen = SeenItems(*np.nonzero(known), n_users, n_items)
    everybody, drawn = np.arange(n_users), []
    for _ in range(60):
        negatives = sample_distinct_negatives(everybody, seen, rungs.N_SAMPLED, rng)
        drawn.append(ndcg_at(sampled_ranks(lambda u, i: scores[u, i], everybody, targets, negatives), 10).mean())
    assert exact == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / np.sqrt(60))


def test_popularity_handed_in_passes_no_rung_and_the_held_back_films_looked_up_earn_nothing():
    world = CHECKS["ladder"].world(5)
    public = world.for_judge()
    users = np.arange(public.n_users)
    popular = Popularity().fit(public.user_ids, public.item_ids, n_users=len(users), n_items=public.n_items)
    assert ladder_on(world, popular.score_users(users)).points == 0
    verdict = ladder_on(world, np.eye(public.n_items)[public.targets])
    assert verdict.points == 0
    assert "looked up" in verdict.message


def test_all_equal_scores_are_worth_nothing_on_the_ladder():
    world = CHECKS["ladder"].world(5)
    verdict = ladder_on(world, np.zeros((world.public["n_users"], world.public["n_items"])))
    assert verdict.points == 0
    assert "Every user has the same scores" in verdict.message


def test_nothing_that_a_kernel_sees_of_the_ladder_says_which_film_comes_next():
    world = CHECKS["ladder"].world(4)
    met = set(zip(world.public["user_ids"].tolist(), world.public["item_ids"].tolist(), strict=True))
    assert not met & set(enumerate(world.secret["targets"].tolist()))
    assert len(world.held_out) + len(world.public["user_ids"]) == 100_000


@pytest.mark.realdata
@pytest.mark.parametrize("dataset", ["ml-100k", "ml-latest-small"])
def test_the_reference_climbs_the_whole_ladder_on_real_data_and_als_alone_does_not(dataset, monkeypatch):
    from course_utils.baselines.implicit_models import ALS

    monkeypatch.setenv("COURSE_DATASET", dataset)
    (attempt,) = (a for grade_id, a in attempts(LESSON, {}, "reference") if grade_id == LADDER)
    world = attempt.check.world(0)
    verdict = attempt.check.conclude(attempt.check.observe(attempt.answers, world, 0), world)
    assert verdict.points == 4, verdict
    sizes = {"n_users": world.public["n_users"], "n_items": world.public["n_items"]}
    als = ALS(32, rng=np.random.default_rng(0)).fit(world.public["user_ids"], world.public["item_ids"], **sizes)
    assert 1 <= ladder_on(world, als.score_users(np.arange(sizes["n_users"]))).points < 4


def test_a_mask_whose_first_rows_are_taken_for_those_of_the_users_is_named():
    def top_unseen(score_users, user_ids, train, n):
        met = np.zeros((train.n_users, train.n_items), dtype=bool)
        met[train.user_ids, train.item_ids] = True
        return np.argsort(-np.where(met[: len(user_ids)], -np.inf, score_users(user_ids)), axis=1)[:, :n]

    for seed in (0, *OTHER_SEEDS):
        verdict = Attempt(CHECKS["top_unseen"], (top_unseen,)).verdict(seed)
        assert verdict.points == 0
        assert "take its rows user_ids" in verdict.message, verdict
