"""Rivals for retrieval and sequences: popularity, Markov counts, EASE, and the library's ALS and BPR."""

import warnings

import numpy as np
import pytest
from baseline_data import random_pairs

from course_utils.baselines.ease import EASE
from course_utils.baselines.implicit_models import ALS, BPR
from course_utils.baselines.markov import Markov
from course_utils.baselines.popularity import MostPopular, Popularity

# Popularity


def test_popularity_counts_and_the_most_popular_of_equals_is_the_lowest_id():
    users, items = np.array([0, 0, 1, 1, 2]), np.array([2, 1, 2, 1, 3])
    assert Popularity().fit(users, items, n_users=3, n_items=5).score_users(np.array([0, 7])).tolist() == [
        [0, 2, 2, 1, 0],
        [0, 2, 2, 1, 0],
    ]
    assert MostPopular().fit(users, items, n_users=3, n_items=5).score_users(np.array([0])).tolist() == [
        [0, 1, 0, 0, 0]
    ]


@pytest.mark.parametrize("model", [Popularity(), MostPopular()])
def test_the_popular_is_the_same_after_every_window(model):
    model.fit(np.array([0, 0, 1]), np.array([1, 2, 2]), n_users=2, n_items=4)
    scores = model.score_sequences(np.array([[0, 0, 0, 2], [0, 1, 3, 2]]))
    assert scores.shape == (2, 4)
    assert scores.argmax(axis=1).tolist() == [2, 2]
    assert (scores[:, 0] == 0).all()  # the padding


# Markov counts


def test_markov_counts_are_those_worked_out_by_hand():
    # Histories 0 1 2 and 0 1. N_01 = 2, N_12 = 1 at lag 1, N_02 = 1/2 at lag 2; p = (2, 2, 1, 0) / 5.
    users, items = np.array([0, 1, 0, 0, 1]), np.array([0, 0, 1, 2, 1])
    model = Markov(n_lags=2, lag_decay=0.5, context_decay=0.5, smoothing=1).fit(users, items, n_users=3, n_items=4)
    p = np.array([0.4, 0.4, 0.2, 0])
    after_0 = (np.array([0, 2, 0.5, 0]) + p) / 3.5
    after_1 = (np.array([0, 0, 1, 0]) + p) / 2
    after_2 = p
    expected = [after_2 + 0.5 * after_1, after_1 + 0.5 * after_0, p]  # user 2 has no history
    assert model.score_users(np.array([0, 1, 2])) == pytest.approx(np.array(expected), abs=1e-6)
    # The same histories as windows, with items from 1 and column 0 for the padding.
    model.fit(users, items + 1, n_users=3, n_items=5)
    scores = model.score_sequences(np.array([[1, 2, 3], [0, 1, 2], [0, 0, 0]]))
    assert scores[:, 1:] == pytest.approx(np.array(expected), abs=1e-6)
    assert (scores[:, 0] == 0).all()


@pytest.mark.parametrize("n_lags", [1, 3, 9])
def test_markov_scores_agree_with_a_loop_over_histories(rng, n_lags):
    n_users, n_items = 12, 15
    users, items = rng.integers(0, n_users - 1, 150), rng.integers(0, n_items, 150)  # the last user has no history
    model = Markov(n_lags=n_lags).fit(users, items, n_users=n_users, n_items=n_items)
    histories = [items[users == user] for user in range(n_users)]
    counts, popularity = np.zeros((n_items, n_items)), np.bincount(items, minlength=n_items) / len(items)
    for history in histories:
        for late, item in enumerate(history):
            for early in range(max(0, late - n_lags), late):
                counts[history[early], item] += 0.8 ** (late - early - 1)
    after = (counts + 50 * popularity) / (counts.sum(axis=1, keepdims=True) + 50)
    for user, history in enumerate(histories):
        expected = sum((0.7**lag * after[item] for lag, item in enumerate(history[::-1][:n_lags])), np.zeros(n_items))
        expected = expected if len(history) else popularity
        assert model.score_users(np.array([user]))[0] == pytest.approx(expected, rel=1e-5)


def test_relabelling_users_and_mixing_their_rows_changes_no_markov_score(rng):
    users, items = rng.integers(0, 9, 80), rng.integers(0, 15, 80)
    renamed = rng.permutation(9)
    by_user = np.argsort(renamed[users], kind="stable")  # each user's rows keep their order
    before = Markov().fit(users, items, n_users=9, n_items=15).score_users(np.arange(9))
    after = Markov().fit(renamed[users][by_user], items[by_user], n_users=9, n_items=15).score_users(renamed)
    assert after == pytest.approx(before)


def test_markov_counts_find_a_planted_chain(rng):
    # After item a comes next_item[a] with probability 0.8, else any item: the best ranking has its right item on top
    # with probability 0.8 + 0.2 / 30, and nobody can know the order of the others.
    next_item = rng.permutation(30) + 1
    windows = np.empty((3000, 10), dtype=np.int64)
    windows[:, 0] = rng.integers(1, 31, 3000)
    for place in range(1, 10):
        surprise = rng.random(3000) < 0.2
        windows[:, place] = np.where(surprise, rng.integers(1, 31, 3000), next_item[windows[:, place - 1] - 1])
    users = np.repeat(np.arange(2000), 10)
    model = Markov(n_lags=1).fit(users, windows[:2000].ravel(), n_users=2000, n_items=31)
    scores = model.score_sequences(windows[2000:, :-1])
    hits = scores.argmax(axis=1) == windows[2000:, -1]
    assert hits.mean() == pytest.approx(0.8 + 0.2 / 30, abs=4 * np.sqrt(0.8 * 0.2 / 1000))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_lags": 0}, "n_lags must be at least 1, got 0"),
        ({"lag_decay": 1.1}, "lag_decay must be more than 0 and at most 1, got 1.1"),
        ({"context_decay": 0}, "context_decay"),
        ({"smoothing": 0}, "smoothing must be more than 0, got 0"),
    ],
)
def test_markov_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Markov(**settings)


# EASE


@pytest.mark.parametrize("n_users", [20, 60], ids=["fewer users than items", "more users than items"])
def test_ease_weights_are_those_of_a_ridge_regression_of_every_item_on_the_others(rng, n_users):
    users, items = random_pairs(rng, n_users, 25)
    model = EASE(regularisation=3).fit(users, items, n_users=n_users, n_items=25)
    seen = np.zeros((n_users, 25))
    seen[users, items] = 1
    assert (model.weights_.diagonal() == 0).all()
    for item in range(25):
        others = np.delete(seen, item, axis=1)
        weights = np.linalg.solve(others.T @ others + 3 * np.eye(24), others.T @ seen[:, item])
        assert np.delete(model.weights_[:, item], item) == pytest.approx(weights, abs=1e-5)
    assert model.score_users(np.arange(n_users)) == pytest.approx(seen @ model.weights_, abs=1e-5)


def test_ease_counts_a_pair_once_however_often_it_occurs(rng):
    users, items = random_pairs(rng)
    once = EASE().fit(users, items, n_users=40, n_items=25)
    twice = EASE().fit(np.tile(users, 2), np.tile(items, 2), n_users=40, n_items=25)
    assert np.array_equal(once.weights_, twice.weights_)


def test_ease_scores_a_window_like_a_user_who_met_its_items(rng):
    users, items = random_pairs(rng)
    model = EASE(regularisation=2).fit(users, items + 1, n_users=40, n_items=26)
    short = np.bincount(users, minlength=40) < 5
    windows = np.zeros((40, 5), dtype=np.int64)
    for user in np.flatnonzero(short):
        own = items[users == user] + 1
        windows[user, 5 - len(own) :] = own
    assert 2 < short.sum() < 40
    scores = model.score_sequences(windows)
    assert scores[short] == pytest.approx(model.score_users(np.flatnonzero(short)), abs=1e-6)
    assert model.score_sequences(windows[:, ::-1]) == pytest.approx(scores, abs=1e-6)  # it knows no order


def test_ease_refuses_a_catalogue_that_does_not_fit_the_memory():
    with pytest.raises(MemoryError, match=r"EASE needs 69\.7 GB for 59047 items, more than max_gb=8\.0"):
        EASE().fit(np.array([0]), np.array([0]), n_users=1, n_items=59_047)


def test_ease_needs_a_regularisation():
    with pytest.raises(ValueError, match="regularisation must be more than 0, got 0"):
        EASE(regularisation=0)


# The library's models


def test_als_solves_the_problem_that_its_parameters_are_described_by(rng):
    # With the users' vectors fixed, an item's vector v has the least Σ_u w_u (r_u - v·u)² + λ|v|² with w = α for those
    # who met it and 1 for the others: (UᵀU + (α - 1) Σ uuᵀ + λI) v = α Σ u, the sums over those who met it.
    users, items = random_pairs(rng, 50, 30)
    model = ALS(n_factors=4, regularisation=5, alpha=3, n_iter=200, rng=rng).fit(users, items, n_users=50, n_items=30)
    u = model.user_factors_.astype(np.float64)
    for item in range(30):
        met = u[users[items == item]]
        vector = np.linalg.solve(u.T @ u + 2 * met.T @ met + 5 * np.eye(4), 3 * met.sum(axis=0))
        assert model.item_factors_[item] == pytest.approx(vector, abs=1e-3)


@pytest.mark.parametrize("model_class", [ALS, BPR])
def test_the_librarys_models_repeat_themselves_and_say_nothing(rng, capfd, model_class):
    users, items = random_pairs(rng)
    sizes = {"n_users": 40, "n_items": 25}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, again, other = (
            model_class(n_factors=8, rng=np.random.default_rng(seed)).fit(users, items, **sizes).score_users(users)
            for seed in (1, 1, 2)
        )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert capfd.readouterr() == ("", "")
