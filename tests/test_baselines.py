"""Means and damped biases."""

import numpy as np
import pytest

from course_utils.baselines.biases import DampedBiases
from course_utils.baselines.means import GlobalMean, ItemMean, UserMean
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


@pytest.mark.parametrize("model", MODELS)
def test_lists_are_as_good_as_arrays(model):
    listed = model().fit(USERS.tolist(), ITEMS.tolist(), RATINGS.tolist(), n_users=3, n_items=4)
    scores = fit(model()).predict(np.array([0, 2, -1]), np.array([0, 3, -1]))
    np.testing.assert_array_equal(listed.predict([0, 2, -1], [0, 3, -1]), scores)


@pytest.mark.parametrize("model", [UserMean, ItemMean, DampedBiases])
def test_ids_that_are_not_whole_numbers_are_refused(model):
    with pytest.raises(TypeError, match="ids are whole numbers, found an array of float64"):
        model().fit([0.0], [0.0], [1.0], n_users=3, n_items=4)
    with pytest.raises(TypeError, match="ids are whole numbers, found an array of float64"):
        fit(model()).predict([0.0], [0.0])


def test_a_damping_of_zero_is_refused():
    with pytest.raises(ValueError, match="damping"):
        DampedBiases(damping=0)
