"""Splits and measures of the three tasks: what is held back, and what an oracle and a constant score."""

from types import SimpleNamespace

import numpy as np
import pytest

from course_utils import synthetic
from course_utils.baselines.protocols import PROTOCOLS


@pytest.fixture(scope="module")
def ratings():
    return synthetic.generate(n_users=80, n_items=300, n_ratings=3000).ratings


def retrieval_model(table):
    """A model that looks its scores up in (n_users, n_items)."""
    return SimpleNamespace(
        score_users=lambda user_ids: table[user_ids], predict=lambda user_ids, item_ids: table[user_ids, item_ids]
    )


def test_every_fifth_rating_is_held_back_for_the_explicit_task(ratings):
    fold = PROTOCOLS["explicit"].split(ratings, 0)
    assert (len(fold.train), len(fold.test)) == (2400, 600)
    assert (fold.train.n_users, fold.train.n_items) == (ratings["user_id"].nunique(), ratings["item_id"].nunique())
    oracle = SimpleNamespace(predict=lambda user_ids, item_ids: fold.test.ratings + 0.5)
    assert PROTOCOLS["explicit"].measure(oracle, fold) == pytest.approx((0.5,))


def test_the_item_after_a_users_history_is_held_back_for_retrieval(ratings):
    fold = PROTOCOLS["retrieval"].split(ratings, 0)
    assert sorted(fold.test.user_ids) == list(range(fold.test.n_users))
    train = set(zip(fold.train.user_ids, fold.train.item_ids, strict=True))
    for user, item, time, negatives in zip(
        fold.test.user_ids, fold.test.item_ids, fold.test.timestamps, fold.negatives, strict=True
    ):
        assert fold.train.timestamps[fold.train.user_ids == user].max() <= time
        assert len(set(negatives)) == 99
        assert not {(user, other) for other in (*negatives, item)} & train
        assert item not in negatives
    dropped = len(ratings) - len(fold.train) - len(fold.test)
    assert 0 < dropped <= 4 * fold.test.n_users
    assert (np.diff(fold.train.timestamps) >= 0).all()
    rows, items = fold.seen.nonzero()
    assert set(zip(fold.test.user_ids[rows], items, strict=True)) == train


@pytest.mark.parametrize("task", PROTOCOLS)
def test_a_seed_gives_one_split_and_another_seed_another(ratings, task):
    first, again, other = (PROTOCOLS[task].split(ratings, seed)[0].user_ids for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_oracle_and_a_constant_bound_the_measures_of_retrieval(ratings):
    protocol = PROTOCOLS["retrieval"]
    fold = protocol.split(ratings, 0)
    table = np.zeros((fold.test.n_users, fold.test.n_items), np.float32)
    constant = protocol.measure(retrieval_model(table), fold)
    # All are tied: of 100 candidates each has rank 50.5, of the n left in the catalogue (n + 1) / 2.
    n_left = fold.test.n_items - np.bincount(fold.train.user_ids)
    assert constant == pytest.approx((0, 0, 0, 0, np.mean(2 / (n_left + 1))))
    table[fold.train.user_ids, fold.train.item_ids] = 2  # items of the past do not compete
    table[fold.test.user_ids, fold.test.item_ids] = 1
    assert protocol.measure(retrieval_model(table), fold) == (1, 1, 1, 1, 1)


def test_an_oracle_and_a_constant_bound_the_measures_of_sequences(ratings):
    protocol = PROTOCOLS["sequence"]
    fold = protocol.split(ratings, 0)
    n_items = ratings["item_id"].nunique()
    n_rows = len(fold.targets)
    assert fold.train.num_items == n_items + 1
    assert fold.contexts.shape == (n_rows, 9)
    assert ((fold.targets > 0) & (fold.targets <= n_items)).all()
    held_back = len(ratings) - len(fold.train.user_ids)
    assert np.count_nonzero(fold.contexts) + n_rows == held_back  # every rating of these users is in one window

    def constant(contexts):
        scores = np.zeros((len(contexts), n_items + 1), np.float32)
        scores[:, 0] = 1  # the padding does not compete
        return scores

    n_left = n_items - np.count_nonzero(fold.contexts, axis=1)
    expected = (2 / (n_items + 1), np.mean(2 / (n_left + 1)))
    assert protocol.measure(SimpleNamespace(score_sequences=constant), fold) == pytest.approx(expected)

    asked = []

    def oracle(contexts):
        rows = np.arange(len(contexts)) + sum(map(len, asked))
        asked.append(contexts)
        scores = constant(contexts)
        np.put_along_axis(scores, contexts.astype(np.int64), 3, axis=1)  # above the target, but for the second measure
        scores[np.arange(len(contexts)), fold.targets[rows]] = 2
        return scores

    kept, removed = protocol.measure(SimpleNamespace(score_sequences=oracle), fold)
    assert np.array_equal(np.concatenate(asked), fold.contexts)
    assert kept == pytest.approx(np.mean(1 / (1 + np.count_nonzero(fold.contexts, axis=1))))
    assert removed == 1
