"""Means and damped biases, and the recorded results."""

import subprocess
import sys

import numpy as np
import pytest

from course_utils import movielens, synthetic
from course_utils.baselines import recorded
from course_utils.baselines.biases import DampedBiases
from course_utils.baselines.means import GlobalMean, ItemMean, UserMean
from course_utils.baselines.record import EXPLICIT, measure, ratings_hash, record
from course_utils.evaluation import rmse

# Three users, four items; user 2 and item 3 have no rating.
USERS = np.array([0, 0, 1])
ITEMS = np.array([0, 1, 0])
RATINGS = np.array([5, 2, 2], np.float32)
MODELS = [GlobalMean, UserMean, ItemMean, DampedBiases]


def fit(model):
    return model.fit(USERS, ITEMS, RATINGS, n_users=3, n_items=4)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param(GlobalMean(), [3, 3, 3, 3], id="global mean: 9 / 3"),
        pytest.param(UserMean(), [3.5, 2, 3, 3], id="user mean: 7 / 2, 2, unseen, unknown"),
        pytest.param(ItemMean(), [3.5, 2, 3, 3], id="item mean: 7 / 2, 2, unseen, unknown"),
    ],
)
def test_means_are_those_worked_out_by_hand(model, expected):
    scores = fit(model).predict(np.array([0, 1, 2, -1]), np.array([0, 1, 3, -1]))
    assert scores.dtype == np.float32
    assert scores.tolist() == expected


def test_one_rating_is_shared_between_user_and_item():
    # User 0 gives item 0 four stars, user 1 gives item 1 two; the mean is 3. By symmetry b_0 = c_0 = x with
    # (1 + damping) x = 1 - x, so x = 1 / (2 + damping) = 0.25.
    model = DampedBiases(damping=2).fit(np.array([0, 1]), np.array([0, 1]), np.array([4.0, 2.0]), n_users=2, n_items=2)
    assert model.user_biases_ == pytest.approx([0.25, -0.25], abs=1e-5)
    assert model.item_biases_ == pytest.approx([0.25, -0.25], abs=1e-5)
    assert model.predict(np.array([0, 0]), np.array([0, 1])) == pytest.approx([3.5, 3.0], abs=1e-5)


def test_damped_biases_agree_with_ridge_regression_on_indicators():
    rng = np.random.default_rng(0)
    users, items, ratings = rng.integers(0, 30, 400), rng.integers(0, 20, 400), rng.normal(3, 1, 400)
    model = DampedBiases(damping=3).fit(users, items, ratings, n_users=30, n_items=20)
    indicators = np.hstack([np.eye(30)[users], np.eye(20)[items]])
    solution = np.linalg.solve(indicators.T @ indicators + 3 * np.eye(50), indicators.T @ (ratings - ratings.mean()))
    assert np.concatenate([model.user_biases_, model.item_biases_]) == pytest.approx(solution, abs=1e-5)


def test_an_unseen_user_and_an_unknown_item_have_no_bias():
    model = fit(DampedBiases(damping=1))
    assert model.predict(np.array([2]), np.array([-1])) == pytest.approx(3.0)


def test_damped_biases_find_planted_biases():
    rng = np.random.default_rng(1)
    user_biases, item_biases = rng.normal(0, 0.5, 200), rng.normal(0, 0.5, 100)
    users, items = rng.integers(0, 200, 20_000), rng.integers(0, 100, 20_000)
    ratings = 3.5 + user_biases[users] + item_biases[items] + rng.normal(0, 0.9, 20_000)
    train, test = slice(16_000), slice(16_000, None)
    model = DampedBiases().fit(users[train], items[train], ratings[train], n_users=200, n_items=100)
    best = rmse(ratings[test], 3.5 + user_biases[users[test]] + item_biases[items[test]])
    # Estimating 300 biases from 16,000 ratings raises the squared error by 300 / 16,000, so the error by about 1 %.
    assert best < rmse(ratings[test], model.predict(users[test], items[test])) < 1.02 * best


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("users", "items", "ratings", "message"),
    [
        ([], [], [], "no ratings"),
        ([0, 1], [0], [1.0, 2.0], "differ"),
        ([3], [0], [1.0], "n_users=3"),
        ([0], [4], [1.0], "n_items=4"),
        ([-1], [0], [1.0], "from -1"),
    ],
)
def test_ratings_that_do_not_fit_are_refused(model, users, items, ratings, message):
    with pytest.raises(ValueError, match=message):
        model().fit(np.array(users, int), np.array(items, int), np.array(ratings), n_users=3, n_items=4)


@pytest.mark.parametrize("model", [UserMean, ItemMean, DampedBiases])
@pytest.mark.parametrize("bad", [-2, 4])
def test_an_id_outside_the_model_is_refused(model, bad):
    with pytest.raises(ValueError, match=str(bad)):
        fit(model()).predict(np.array([bad]), np.array([bad]))


def test_a_damping_of_zero_is_refused():
    with pytest.raises(ValueError, match="damping"):
        DampedBiases(damping=0)


# Recorded results


def test_baselines_and_recorded_results_are_read_without_torch():
    code = (
        "import sys, course_utils.baselines.means, course_utils.baselines.biases\n"
        "from course_utils.baselines import recorded\n"
        "assert recorded.rows(), 'nothing is recorded'\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("dataset", ["ml-100k", "ml-latest-small", "synthetic"])
def test_every_rival_is_recorded_on_the_same_ten_splits_of_the_same_data(dataset):
    rows = [row for row in recorded.load() if row["dataset"] == dataset]
    assert [row["model"] for row in rows] == list(EXPLICIT)
    assert all(row["seeds"] == list(range(10)) for row in rows)
    assert len({row["ratings_sha256"] for row in rows}) == 1
    for row in rows:
        assert row["settings"] == EXPLICIT[row["model"]].settings
        values = recorded.values(dataset, "explicit", row["model"], "rmse")
        assert (values.mean(), values.std(ddof=1)) == pytest.approx((row["mean"], row["sd"]), abs=1e-12)


def test_the_rows_of_a_table_say_what_was_measured():
    row = next(row for row in recorded.rows() if (row["dataset"], row["model"]) == ("ml-100k", "spotlight"))
    assert list(row) == ["dataset", "task", "model", "settings", "metric", "mean", "sd", "n"]
    assert (row["task"], row["settings"], row["metric"], row["n"]) == (
        "explicit",
        "n_iter=3, clipped=False",
        "rmse",
        10,
    )


def test_a_result_that_was_never_recorded_is_an_error_that_lists_the_others():
    with pytest.raises(KeyError, match="damped_biases"):
        recorded.values("ml-100k", "explicit", "wishful", "rmse")


def test_the_synthetic_results_are_those_of_todays_synthetic_data():
    row = next(row for row in recorded.load() if row["dataset"] == "synthetic")
    assert ratings_hash(movielens.load("synthetic").ratings) == row["ratings_sha256"], (
        "the synthetic world has changed: record it again with course_utils.baselines.record.record('synthetic')"
    )


@pytest.mark.parametrize(
    ("models", "n_splits", "tolerance"),
    [
        (["global_mean", "damped_biases"], 2, 1e-6),
        # Float32 sums may come out otherwise on another processor; another draw or setting moves the RMSE by 0.005.
        (["spotlight"], 1, 1e-3),
    ],
)
def test_running_the_rivals_again_gives_the_recorded_results(models, n_splits, tolerance):
    for row in measure("synthetic", range(n_splits), models):
        expected = recorded.values("synthetic", "explicit", row["model"], "rmse")[:n_splits]
        assert row["values"] == pytest.approx(expected, abs=tolerance)


@pytest.mark.realdata
def test_running_biases_on_ml_100k_again_gives_the_recorded_and_the_published_result():
    (row,) = measure("ml-100k", range(10), ["damped_biases"])
    assert row["values"] == pytest.approx(recorded.values("ml-100k", "explicit", "damped_biases", "rmse"), abs=1e-6)
    assert row["mean"] == pytest.approx(0.941, abs=0.006)


def test_recording_replaces_only_the_rows_that_were_measured(monkeypatch, tmp_path):
    world = synthetic.generate(n_users=60, n_items=80, n_ratings=1500)
    monkeypatch.setattr(movielens, "load", lambda name: movielens.MovieLens(world.ratings, world.movies))
    monkeypatch.setattr(recorded, "PATH", tmp_path / "recorded.json")
    record("synthetic", 2, ["global_mean", "user_mean"])
    (before,) = (row for row in recorded.rows() if row["model"] == "user_mean")
    (new,) = record("synthetic", 3, ["global_mean"])
    assert [(row["model"], row["n"]) for row in recorded.rows()] == [("global_mean", 3), ("user_mean", 2)]
    assert before in recorded.rows()
    assert new["ratings_sha256"] == ratings_hash(world.ratings.sample(frac=1, random_state=0))
    assert [path.name for path in tmp_path.iterdir()] == ["recorded.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("synthetic", 1), "at least 2, got 1"),
        (("synthetic", 2, ["wishful"]), "'wishful'; there are global_mean, .*"),
    ],
)
def test_a_recording_that_makes_no_sense_fails_before_any_work(monkeypatch, arguments, message):
    monkeypatch.setattr(movielens, "load", lambda name: pytest.fail("the data was loaded"))
    with pytest.raises(ValueError, match=message):
        record(*arguments)
