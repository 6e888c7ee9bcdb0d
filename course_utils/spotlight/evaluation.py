"""How good a fitted model is, as Spotlight measures it: against all items, those that nobody met included.

A model is any object with Spotlight's predict: predict(user_id) or predict(sequence) for the scores of all items,
predict(user_ids, item_ids) for pairs. Where it has score_users or score_sequences, many rows are scored at once.

Ranks start at 1, and ties share their average rank. What is excluded (`train`, `exclude_preceding`) is not taken out of
the list but moved to its end, and shares the last ranks there. That holds for a target as well, if it is excluded: one
that the user has met before. course_utils.evaluation.ranks removes instead, and always ranks a target.

Other than in Spotlight, NaN scores raise ValueError and predictions may be whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from course_utils.evaluation import ranks, rmse, targets_by_row, top_items
from course_utils.spotlight.interactions import Interactions, SequenceInteractions
from course_utils.spotlight.sequence.representations import PADDING_IDX

FLOAT_MAX = np.finfo(np.float32).max
_ROWS = 512  # users or windows scored at a time


def mrr_score(model: Any, test: Interactions, train: Interactions | None = None) -> np.ndarray:
    """For each user, the mean of 1 / rank over the different items that the user has in the test part. These compete
    with each other.

    train    excludes each user's items in it; None excludes nothing
    returns  (n,) float64, users with a test row, in ascending order
    """
    return _concatenated(
        [(1 / ranks(scores, items)).mean(axis=1, where=items >= 0)] for scores, items in _users(model, test, train)
    )[0]


def precision_recall_score(
    model: Any, test: Interactions, train: Interactions | None = None, k: int | Sequence[int] = 10
) -> tuple[np.ndarray, np.ndarray]:
    """For each user, how many of the k best items are among the different items of the test part: as a share of k, and
    of these items. Of equal scores, the lower id is the better; in Spotlight their order is accidental.

    train    excludes each user's items in it; None excludes nothing
    k        length of the list, or several lengths; one longer than the catalogue counts as the whole of it
    returns  (precision, recall), each (n,) float64, or (n, number of lengths) where k is a sequence: users with a test
             row, in ascending order
    raises   ValueError if a k is less than 1
    """
    lengths = np.atleast_1d(k)
    if len(lengths) == 0 or lengths.min() < 1:
        raise ValueError(f"k is {k}, expected at least 1")
    precision, recall = _concatenated(
        _precision_recall(scores, items, lengths) for scores, items in _users(model, test, train)
    )
    return (precision[:, 0], recall[:, 0]) if np.isscalar(k) else (precision, recall)


def sequence_mrr_score(model: Any, test: SequenceInteractions, exclude_preceding: bool = False) -> np.ndarray:
    """For each window, 1 / rank of its last item, given the items before it.

    The padding item is no candidate. In Spotlight it is one, which changes the mean on MovieLens 100K by about 1e-6,
    and more where there are few items.
    A window of one item is scored from an empty history and counts like the others.

    exclude_preceding  excludes the items before the last
    returns            (n,) float64, in the order of the windows
    raises             ValueError for a window that ends in padding
    """
    return _concatenated(
        [1 / ranks(scores, targets[:, 0], padding_item=PADDING_IDX)]
        for scores, targets in _windows(model, test, 1, exclude_preceding)
    )[0]


def sequence_precision_recall_score(
    model: Any, test: SequenceInteractions, k: int = 10, exclude_preceding: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """For each window, how many of the k best items are among its last k, given the items before these: as a share of
    k, and of the different items there.

    Other than in Spotlight, padding is neither a target nor recommended, so both shares differ where fewer than k items
    are left; windows of length k or less are scored from an empty history (they crash Spotlight); and of equal scores,
    the lower id is the better.

    exclude_preceding  excludes the items before the last k
    returns            (precision, recall), each (n,) float64, in the order of the windows
    raises             ValueError if k is less than 1
    """
    if k < 1:
        raise ValueError(f"k is {k}, expected at least 1")
    precision, recall = _concatenated(
        _precision_recall(scores, targets, np.array([k]), padding_item=PADDING_IDX)
        for scores, targets in _windows(model, test, k, exclude_preceding)
    )
    return precision[:, 0], recall[:, 0]


def rmse_score(model: Any, test: Interactions) -> float:
    """Root mean squared error of the model's predictions for the test rows, in stars, nothing clipped.

    raises   ValueError if the test interactions have no ratings or are empty
    """
    if test.ratings is None:
        raise ValueError("the test interactions have no ratings")
    return rmse(test.ratings, model.predict(test.user_ids, test.item_ids))


def _users(model: Any, test: Interactions, train: Interactions | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batch by batch: scores (b, n_items) of users with test rows, and their test items (b, T), -1 at the end."""
    test = test.tocsr()
    train = None if train is None else train.tocsr()
    users = np.flatnonzero(np.diff(test.indptr))
    for start in range(0, len(users), _ROWS):
        batch = users[start : start + _ROWS]
        scores = _scored(getattr(model, "score_users", None), model.predict, batch.tolist())
        if train is not None:
            scores[_pairs(train[batch])] = -FLOAT_MAX
        yield scores, targets_by_row(*_pairs(test[batch]), len(batch))


def _windows(
    model: Any, test: SequenceInteractions, n_targets: int, exclude_preceding: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batch by batch: scores (b, n_items) of windows without their last n_targets, and these."""
    for start in range(0, len(test.sequences), _ROWS):
        windows = test.sequences[start : start + _ROWS]
        earlier, targets = windows[:, :-n_targets], windows[:, -n_targets:]
        if earlier.shape[1] == 0:
            earlier = np.full((len(windows), 1), PADDING_IDX, dtype=windows.dtype)
        scores = _scored(getattr(model, "score_sequences", None), model.predict, earlier)
        if exclude_preceding:
            np.put_along_axis(scores, earlier.astype(np.int64), -FLOAT_MAX, axis=1)
        yield scores, targets


def _scored(score_rows: Callable | None, predict: Callable, rows: Sequence) -> np.ndarray:
    """Scores of all items for each row, in an array of our own: they are written to."""
    if score_rows is not None:
        scores = np.array(score_rows(np.asarray(rows)))
    else:
        scores = np.stack([np.ravel(predict(row)) for row in rows])
    return scores if scores.dtype.kind == "f" else scores.astype(np.float64)


def _pairs(matrix: Any) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns) of the entries that a CSR matrix stores, zeros too: a rating of 0 is a rating."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices


def _precision_recall(
    scores: np.ndarray, targets: np.ndarray, lengths: np.ndarray, padding_item: int | None = None
) -> list[np.ndarray]:
    """[precision, recall], each (b, number of lengths). Targets (b, T) that are -1 or padding count for nothing."""
    n_candidates = scores.shape[1] - (padding_item is not None)
    lengths = np.minimum(lengths, n_candidates)
    lists = top_items(scores, lengths.max(), padding_item=padding_item)
    is_target = np.zeros(scores.shape, dtype=bool)
    rows, places = np.nonzero(targets >= 0)
    is_target[rows, targets[rows, places]] = True
    if padding_item is not None:
        is_target[:, padding_item] = False
    hits = np.take_along_axis(is_target, lists, axis=1).cumsum(axis=1)[:, lengths - 1]
    return [hits / lengths, hits / np.maximum(is_target.sum(axis=1, keepdims=True), 1)]


def _concatenated(batches: Iterator[Sequence[np.ndarray]]) -> list[np.ndarray]:
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]
