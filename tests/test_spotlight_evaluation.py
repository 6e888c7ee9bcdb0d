"""Spotlight's evaluation functions: by hand, and beside a plain loop over users or windows."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import rankdata

from course_utils.spotlight.evaluation import (
    mrr_score,
    precision_recall_score,
    rmse_score,
    sequence_mrr_score,
    sequence_precision_recall_score,
)
from course_utils.spotlight.interactions import Interactions, SequenceInteractions

N_ITEMS = 12


class Table:
    """Scores users or windows by rows of a table: one at a time, as Spotlight's models do."""

    def __init__(self, scores):
        self.scores = np.asarray(scores)

    def predict(self, user_or_sequence, item_ids=None):
        if item_ids is not None:
            return self.scores[user_or_sequence, item_ids]
        return self.scores[np.sum(user_or_sequence) % len(self.scores)]


class TableAtOnce(Table):
    """The same, many at a time. A call for one is a mistake."""

    def score_users(self, user_ids):
        return self.scores[user_ids]

    def score_sequences(self, sequences):
        return self.scores[sequences.sum(axis=1) % len(self.scores)]

    def predict(self, user_or_sequence, item_ids=None):
        raise AssertionError("predict was called, though there is a way to score many")


def interactions(pairs):
    users, items = np.array(pairs, dtype=np.int32).T
    return Interactions(users, items, num_users=30, num_items=N_ITEMS)


@pytest.fixture
def world(rng):
    """A model with ties, test and train parts that overlap, and windows of which some are short."""
    scores = rng.integers(0, 6, (30, N_ITEMS)).astype(np.float32)
    test, train = (interactions(rng.integers(0, [25, N_ITEMS], (80, 2))) for _ in range(2))
    sequences = rng.integers(1, N_ITEMS, (1100, 6))
    sequences[np.arange(6) < rng.integers(0, 6, 1100)[:, None]] = 0
    return SimpleNamespace(scores=scores, test=test, train=train, windows=SequenceInteractions(sequences))


def plain_ranks(scores, excluded):
    costs = -scores.astype(np.float64)
    costs[excluded] = np.inf
    return rankdata(costs)


# By hand


def test_the_mrr_of_a_user_is_the_mean_over_the_different_test_items():
    model = Table([[0, 9, 5, 7]])
    test = Interactions(np.array([0, 0, 0]), np.array([1, 2, 2]), num_items=4)
    assert mrr_score(model, test).tolist() == [(1 + 1 / 3) / 2]
    train = Interactions(np.array([0]), np.array([1]), num_items=4)
    # Item 1 goes to the end of the list, though it is a target: rank 4. Item 2 is second.
    assert mrr_score(model, test, train=train).tolist() == [(1 / 4 + 1 / 2) / 2]


def test_a_window_is_scored_by_the_rank_of_its_last_item():
    model = Table([[0, 9, 5, 7, 5]])
    windows = SequenceInteractions(np.array([[1, 3, 2], [0, 0, 3]]), num_items=5)
    assert sequence_mrr_score(model, windows).tolist() == [1 / 3.5, 1 / 2]
    assert sequence_mrr_score(model, windows, exclude_preceding=True).tolist() == [1 / 1.5, 1 / 2]


def test_the_padding_item_takes_nobodys_place():
    windows = SequenceInteractions(np.array([[0, 1, 2], [3, 1, 2]]), num_items=4)
    assert sequence_mrr_score(Table([[9, 8, 5, 7]]), windows).tolist() == [1 / 3, 1 / 3]
    assert sequence_mrr_score(Table([[5, 5, 5, 5]]), windows).tolist() == [1 / 2, 1 / 2]
    with pytest.raises(ValueError, match="padding item"):
        sequence_mrr_score(Table([[9, 8, 5, 7]]), SequenceInteractions(np.array([[1, 0]]), num_items=4))


def test_precision_and_recall_count_hits_among_the_best():
    model = Table([[0, 9, 5, 7, 6]])
    test = Interactions(np.array([0, 0, 0]), np.array([1, 2, 0]), num_items=5)
    precision, recall = precision_recall_score(model, test, k=[1, 2, 4, 99])  # best first: 1 3 4 2 0
    assert precision.tolist() == [[1, 1 / 2, 2 / 4, 3 / 5]]
    assert recall.tolist() == [[1 / 3, 1 / 3, 2 / 3, 1]]
    precision, recall = precision_recall_score(model, test, k=4)
    assert (precision.tolist(), recall.tolist()) == ([2 / 4], [2 / 3])


def test_padding_is_neither_recommended_nor_a_target():
    model = Table([[99, 9, 5, 7, 6]])  # best first, padding left out: 1 3 4 2
    windows = SequenceInteractions(np.array([[4, 1, 2], [0, 0, 3]]), num_items=5)
    precision, recall = sequence_precision_recall_score(model, windows, k=2)
    assert (precision.tolist(), recall.tolist()) == ([1 / 2, 1 / 2], [1 / 2, 1])


# Edges


@pytest.mark.parametrize("length", [1, 3])
def test_windows_with_nothing_before_the_targets_are_scored_from_an_empty_history(length):
    asked = []

    def predict(sequence):
        asked.append(sequence.tolist())
        return np.arange(N_ITEMS)

    windows = SequenceInteractions(np.full((2, length), 11), num_items=N_ITEMS)
    precision, recall = sequence_precision_recall_score(SimpleNamespace(predict=predict), windows, k=3)
    assert (precision.tolist(), recall.tolist()) == ([1 / 3] * 2, [1] * 2)
    if length == 1:
        assert sequence_mrr_score(SimpleNamespace(predict=predict), windows).tolist() == [1, 1]
    assert asked == [[0]] * len(asked)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float32, np.float64])
def test_scores_may_be_of_any_type_and_are_not_written_to(dtype):
    scores = np.array([[0, 9, 5, 7]], dtype=dtype)
    scores.flags.writeable = False
    windows = SequenceInteractions(np.array([[1, 2]]), num_items=4)
    for model in (Table(scores), TableAtOnce(scores)):
        assert sequence_mrr_score(model, windows, exclude_preceding=True).tolist() == [1 / 2]
        assert mrr_score(model, interactions([(0, 2)]), train=interactions([(0, 1)])).tolist() == [1 / 2]


def test_what_has_no_meaning_is_refused():
    model, windows = Table(np.full((1, 4), np.nan)), SequenceInteractions(np.array([[1, 2]]), num_items=4)
    with pytest.raises(ValueError, match="NaN"):
        sequence_mrr_score(model, windows)
    with pytest.raises(ValueError, match="k is 0"):
        sequence_precision_recall_score(model, windows, k=0)
    with pytest.raises(ValueError, match=r"k is \[1, 0\]"):
        precision_recall_score(model, interactions([(0, 1)]), k=[1, 0])
    with pytest.raises(ValueError, match="no ratings"):
        rmse_score(model, interactions([(0, 1)]))


# Beside a plain loop


@pytest.mark.parametrize("kind", [Table, TableAtOnce])
@pytest.mark.parametrize("with_train", [False, True])
def test_mrr_is_that_of_a_loop_over_users(world, kind, with_train):
    expected = []
    for user in np.unique(world.test.user_ids):
        excluded = world.train.item_ids[world.train.user_ids == user] if with_train else []
        items = np.unique(world.test.item_ids[world.test.user_ids == user])
        expected.append(np.mean(1 / plain_ranks(world.scores[user], np.array(excluded, dtype=int))[items]))
    result = mrr_score(kind(world.scores), world.test, train=world.train if with_train else None)
    assert result == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", [Table, TableAtOnce])
@pytest.mark.parametrize("exclude_preceding", [False, True])
def test_sequence_mrr_is_that_of_a_loop_over_windows(world, kind, exclude_preceding):
    expected = []
    for window in world.windows.sequences:
        excluded = window[:-1] if exclude_preceding else np.array([], dtype=int)
        scores = world.scores[window[:-1].sum() % 30, 1:]  # without the padding item
        expected.append(1 / plain_ranks(scores, excluded[excluded > 0] - 1)[window[-1] - 1])
    result = sequence_mrr_score(kind(world.scores), world.windows, exclude_preceding=exclude_preceding)
    assert result == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", [Table, TableAtOnce])
def test_precision_and_recall_are_those_of_a_loop_over_users(world, kind):
    expected = []
    for user in np.unique(world.test.user_ids):
        costs = -world.scores[user]
        costs[world.train.item_ids[world.train.user_ids == user]] = np.inf
        items = set(world.test.item_ids[world.test.user_ids == user])
        hits = [len(items & set(np.argsort(costs, kind="stable")[:k])) for k in (2, 5)]
        expected.append([[hits[0] / 2, hits[1] / 5], [hit / len(items) for hit in hits]])
    result = precision_recall_score(kind(world.scores), world.test, train=world.train, k=[2, 5])
    assert np.stack(result, axis=1) == pytest.approx(np.array(expected), abs=1e-12)


@pytest.mark.parametrize("kind", [Table, TableAtOnce])
@pytest.mark.parametrize("exclude_preceding", [False, True])
def test_sequence_precision_and_recall_are_those_of_a_loop_over_windows(world, kind, exclude_preceding):
    expected = []
    for window in world.windows.sequences:
        costs = -world.scores[window[:-2].sum() % 30]
        if exclude_preceding:
            costs[window[:-2]] = np.finfo(np.float32).max
        costs[0] = np.inf
        items = set(window[-2:]) - {0}
        hits = len(items & set(np.argsort(costs, kind="stable")[:2]))
        expected.append([hits / 2, hits / len(items)])
    result = sequence_precision_recall_score(
        kind(world.scores), world.windows, k=2, exclude_preceding=exclude_preceding
    )
    assert np.stack(result, axis=1) == pytest.approx(np.array(expected), abs=1e-12)
