"""The checks of lesson 04 accept every right answer and refuse every known mistake by name, in any world.

The answers are the reference's and those of tests/submissions/04_taste_clusters, which real nbgrader grades in another
test. No check reads a data set: worlds are planted, so that what is right follows from how they were made.
"""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
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
    verdicts,
)
from sklearn.metrics import adjusted_rand_score

from course_utils.checks import taste_clusters
from course_utils.checks.framework import checks_of
from course_utils.checks.taste_clusters.clusters import rand_index
from course_utils.checks.taste_clusters.loop import adam
from course_utils.checks.taste_clusters.recommend import CASES, best_films

LESSON = "04_taste_clusters"
CHECKS = checks_of(taste_clusters)
SEEDS = range(9)
MORE_SEEDS = range(9, 60)


def assert_gets_its_marks(name: str, grade_id: str, seeds: range) -> None:
    for seed, verdict in verdicts(LESSON, name, seeds)[grade_id].items():
        assert_is_as_expected(verdict, expected_of(LESSON, name, grade_id), seed)


@pytest.mark.parametrize(("name", "grade_id"), given(LESSON))
def test_a_known_answer_gets_its_mark_and_its_words_in_nine_worlds(name, grade_id):
    assert_gets_its_marks(name, grade_id, SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "grade_id"), given(LESSON))
def test_a_known_answer_gets_its_mark_and_its_words_in_fifty_more_worlds(name, grade_id):
    assert_gets_its_marks(name, grade_id, MORE_SEEDS)


def test_the_reference_gets_full_points_on_everything_in_every_world():
    for _, attempt in attempts(LESSON, {}, "reference"):
        for seed in SEEDS:
            verdict = attempt.verdict(seed)
            assert (verdict.points, verdict.status) == (attempt.check.points, "ok"), verdict
            assert verdict.saw


def test_a_wrong_answer_is_told_what_was_called_and_what_was_expected():
    for name, grade_id in given(LESSON):
        verdict = verdicts(LESSON, name, SEEDS)[grade_id][0]
        if verdict.status == "failed":
            assert_is_explained(verdict)


def test_what_was_learnt_by_heart_in_the_public_world_earns_nothing_in_a_secret_one():
    for _, attempt in attempts(LESSON, {}, "reference"):
        assert_learnt_by_heart_earns_nothing(attempt.check, attempt.answers, seed=7)


CLASSES = ("two_way_ids", "ratings_dataset")


@pytest.mark.parametrize("kind", JUNK)
@pytest.mark.parametrize("name", [name for name in CHECKS if name not in CLASSES])
def test_no_strange_result_breaks_a_judge_or_earns_points(name, kind):
    assert_is_refused(Attempt(CHECKS[name], (lambda *args, **options: JUNK[kind],)).verdict(0))


@pytest.mark.parametrize("kind", JUNK)
def test_no_strange_object_breaks_the_judges_of_classes_or_earns_points(kind):
    class Ids:
        def __init__(self, *given):
            self.features = self.targets = self.n_dropped = JUNK[kind]

        def __len__(self):
            return 5

        def encode(self, ids):
            return JUNK[kind]

        decode = __getitem__ = encode

    for name in CLASSES:
        verdict = Attempt(CHECKS[name], (Ids,)).verdict(0)
        assert verdict.points == 0
        assert verdict.status in ("failed", "error")
        assert "could not be judged" not in verdict.message, verdict


def test_judges_and_worlds_work_without_torch():
    """As the trusted grader has it: probes run elsewhere, and torch is not loaded."""
    code = """
import sys
from course_utils.checks import taste_clusters
from course_utils.checks.framework import checks_of
from course_utils.checks.observation import pack
for check in checks_of(taste_clusters).values():
    assert check.conclude(pack({}), check.world(3)).points == 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_adjusted_rand_index_by_pairs_is_scikit_learns():
    rng = np.random.default_rng(0)
    for _ in range(20):
        one, other = rng.integers(0, 4, (2, 30))
        assert rand_index(one, other) == pytest.approx(adjusted_rand_score(one, other))


def test_adam_by_hand_is_torchs():
    torch = pytest.importorskip("torch")
    world = SimpleNamespace(**CHECKS["fit"].world(5).public)
    bias = torch.nn.Parameter(torch.as_tensor(world.start, dtype=torch.float64))
    optimizer = torch.optim.Adam([bias], lr=world.learning_rate)
    for order in world.orders:
        for part in np.split(order, np.cumsum(world.sizes)[:-1]):
            optimizer.zero_grad()
            (bias[world.features[part, 0]] - torch.as_tensor(world.targets[part])).square().mean().backward()
            optimizer.step()
    np.testing.assert_allclose(adam(world)[0], bias.detach(), atol=1e-6)


def tiny_world(**changes) -> SimpleNamespace:
    """Three users; cluster 1 holds users 0 and 1. Raw ids are ten times the dense ones plus ten."""
    world = {
        "user_ids": np.array([0, 0, 1, 2]),
        "item_ids": np.array([0, 2, 0, 0]),
        "ratings": np.array([4.0, 5.0, 3.0, 1.0]),
        "raw_users": np.array([10, 20, 30]),
        "raw_items": np.array([110, 120, 858]),
        "labels": np.array([1, 1, 0]),
        "user": 20,
        "unknown": 99,
    }
    return SimpleNamespace(**{**world, **changes})


def test_the_oracle_of_recommendations_agrees_with_the_example_of_the_text():
    world = tiny_world()
    assert best_films(world, 1, "user", None, None) == [2]
    assert best_films(world, 1, "unknown", None, None) == [2, 0]
    assert best_films(world, 4, "user", None, None) == []


def test_every_world_of_recommendations_shows_one_five_star_rating_on_top_of_the_plain_means():
    for seed in range(10):
        world = SimpleNamespace(**CHECKS["recommend"].world(seed).public)
        top = best_films(world, *CASES["plain"])[0]
        members = world.labels[world.user_ids] == 0
        assert (members & (world.item_ids == top)).sum() == 1
        assert world.ratings[members & (world.item_ids == top)] == 5


def recommend_with(*, members=None, prior=None, own=None, damping_of=None, empty=None):
    """A right answer to exercise 9 but for the step that is given; the steps are named as in the answer."""

    def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
        me = train.users.encode([user])[0]
        mine = train.user_ids == (me if own is None else own(user))
        inside = labels[train.user_ids] == (cluster if members is None else members(labels, me))
        film_ids, stars = train.item_ids[inside & ~mine], train.ratings[inside & ~mine]
        if empty is not None and not len(film_ids):
            return empty
        damping = damping if damping_of is None else damping_of
        mean = train.ratings.mean() if prior is None else prior(train, inside, mine)
        counts = np.bincount(film_ids, minlength=train.n_items)
        sums = np.bincount(film_ids, weights=stars, minlength=train.n_items)
        scores = (sums + damping * mean) / np.maximum(counts + damping, 1e-9)
        candidates = np.setdiff1d(film_ids, train.item_ids[mine])
        best = candidates[np.argsort(-scores[candidates])][:n]
        return movies.set_index("item_id").loc[train.items.decode(best), ["title", "genres"]].reset_index()

    return recommend_items_for_cluster


@pytest.mark.parametrize(
    ("wrong", "points", "words"),
    [
        pytest.param({"damping_of": 5.0}, 0, "The damping that is passed in was not used", id="damping is always 5"),
        pytest.param({"own": lambda user: user}, 0, "is the user's dense id", id="raw id used as dense"),
        pytest.param({"members": lambda labels, me: labels[me]}, 0, "the user may be of another", id="own cluster"),
        pytest.param(
            {"prior": lambda train, inside, mine: 3.5},
            0,
            "The prior is the mean of all ratings in train",
            id="prior 3.5",
        ),
        pytest.param({"prior": lambda train, inside, mine: 0.0}, 0, "missing above the line", id="prior 0"),
        pytest.param(
            {"prior": lambda train, inside, mine: train.ratings[inside].mean() if inside.any() else 0.0},
            0,
            "not that of the cluster's",
            id="prior of all members",
        ),
        pytest.param(
            {"empty": pd.DataFrame()}, 3, "0 rows, without the columns item_id, title, genres", id="no columns"
        ),
    ],
)
def test_the_recommend_check_names_the_mistake_in_nine_worlds(wrong, points, words):
    for seed in SEEDS:
        verdict = Attempt(CHECKS["recommend"], (recommend_with(**wrong),)).verdict(seed)
        assert (verdict.points, verdict.status) == (points, "failed"), f"seed {seed}: {verdict}"
        assert words in verdict.message, f"seed {seed}: {verdict}"


def test_clusters_that_are_numbered_from_one_are_told_to_start_at_zero():
    from sklearn.cluster import KMeans

    def user_clusters(model, users, n_clusters, seed):
        vectors = model.user_factors.weight.detach().numpy()
        labels = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(vectors)
        return dict(zip(users.raw_ids.tolist(), (labels + 1).tolist(), strict=True))

    verdict = Attempt(CHECKS["user_clusters"], (user_clusters,)).verdict(0)
    assert verdict.points == 0
    assert "start at 0" in verdict.message


def test_sums_for_the_users_own_cluster_are_told_that_another_one_was_asked_for():
    def cluster_sums(train, labels, cluster, user):
        counted = (labels[train.user_ids] == labels[user]) & (train.user_ids != user)
        films, stars = train.item_ids[counted], train.ratings[counted]
        return np.bincount(films, stars, train.n_items), np.bincount(films, minlength=train.n_items)

    for seed in SEEDS:
        verdict = Attempt(CHECKS["cluster_sums"], (cluster_sums,)).verdict(seed)
        assert verdict.points == 0
        assert "the user may be of another" in verdict.message, verdict
