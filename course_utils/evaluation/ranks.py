"""Where the right items stand in a model's list: ranks against the full catalogue or against sampled negatives.

Every ranking metric is a function of these ranks (metrics.py), so all that is convention is settled here:

- Ranks start at 1, the top of the list.
- Ties share their average rank: 1 + the number of better candidates + half of the number of other, equal ones. A model
  that gives every item the same score gets the middle of the list, neither the top (the minimum rank would pay it for
  knowing nothing) nor the bottom. This is `scipy.stats.rankdata(-scores, method="average")`, without a sort.
- The candidates are all items of the catalogue, less the padding item (`padding_item`) and less the items named by
  `seen`. Without `seen`, items that the user has met already are kept and compete.
- A row's own targets always stay candidates, even where `seen` names them: they are what is asked for.
- Scores are compared in their own dtype, because a conversion could make or break ties. Infinite ones are scores like
  any other; NaN is refused, because nothing is better or worse than NaN.

A metric on sampled negatives is not an estimate of the same metric on the full catalogue, and may even order two models
the other way round (Krichene & Rendle, On sampled metrics for item recommendation, KDD 2020).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from course_utils.evaluation.candidates import NO_ITEM, Seen, candidate_blocks, checked_seen
from course_utils.whole_numbers import whole_number, whole_numbers


def ranks(
    scores: ArrayLike,
    targets: ArrayLike,
    *,
    seen: Seen = None,
    padding_item: int | None = None,
) -> np.ndarray:
    """The rank of each target among all items of its row; the module's text says what competes and how ties count.

    scores        (B, n_items) numbers, higher is better; column i is item i
    targets       (B,) int, one target a row, or (B, T) int, up to T different targets a row, where NO_ITEM fills the
                  places that a row does not need (see `targets_by_row`). A row's targets compete with each other
    seen          (B, n_items) bool, or a scipy sparse matrix whose nonzero entries count: items taken out of the
                  competition. None: every item competes
    padding_item  an item id that is never ranked, in any row; None if all columns are real items
    returns       float64 in the shape of targets: whole or half numbers from 1; NaN where the target is NO_ITEM
    raises        ValueError for a NaN score, for shapes that do not fit, for a target outside the catalogue, NO_ITEM
                  among (B,) targets, a target that a row has twice, and a target that is the padding item; TypeError
                  for what is not a number and for a seen of another kind
    """
    targets = whole_numbers(targets, "targets")
    scores = np.asarray(scores)
    if targets.ndim not in (1, 2) or scores.ndim != 2 or len(targets) != len(scores):
        raise ValueError(
            f"scores {scores.shape} and targets {targets.shape}: (B, n_items) with (B,) or (B, T) was expected"
        )
    _refuse_targets(targets, scores.shape[1], padding_item)
    table = targets[:, None] if targets.ndim == 1 else targets
    result = np.full(table.shape, np.nan)
    for block, block_scores, removed in candidate_blocks(scores, seen, padding_item):
        result[block] = _ranks_of_block(block_scores, table[block], *removed)
    return result.reshape(targets.shape)


def catalogue_ranks(
    score: Callable[[np.ndarray], np.ndarray],
    targets: ArrayLike,
    *,
    seen: Seen = None,
    padding_item: int | None = None,
    batch_size: int = 1024,
) -> np.ndarray:
    """`ranks`, with the scores worked out batch by batch, so that they never all lie in memory.

    score         called with row numbers (b,) int64, consecutive from 0; returns their scores (b, n_items), for
                  instance `lambda rows: model.score_users(user_ids[rows])`
    targets, seen, padding_item, and what is returned and raised: as in `ranks`
    batch_size    rows scored at a time; at least 1
    raises        ValueError as well if score returns another shape than (b, n_items)
    """
    targets = np.asarray(targets)
    if targets.ndim not in (1, 2):
        raise ValueError(f"targets of shape {targets.shape}: (B,) or (B, T) was expected")
    seen = checked_seen(seen)
    if seen is not None and seen.shape[:1] != targets.shape[:1]:
        raise ValueError(f"seen of shape {seen.shape} does not fit targets of shape {targets.shape}")
    result = np.empty(targets.shape)
    for rows in _batches(len(targets), batch_size):
        scores = np.asarray(score(rows))
        if scores.ndim != 2 or len(scores) != len(rows):
            raise ValueError(f"score returned the shape {scores.shape} for {len(rows)} rows: (b, n_items) was expected")
        here = slice(rows[0], rows[-1] + 1)
        try:
            result[here] = ranks(
                scores, targets[here], seen=None if seen is None else seen[here], padding_item=padding_item
            )
        except ValueError as error:
            raise ValueError(f"in the batch of rows {rows[0]} to {rows[-1]}, counted from 0: {error}") from error
    return result


def sampled_ranks(
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    user_ids: ArrayLike,
    targets: ArrayLike,
    negatives: ArrayLike,
    *,
    batch_size: int = 256,
) -> np.ndarray:
    """The rank of each target among itself and its own sampled negatives: from 1 to 1 + n_negatives.

    score       called with user_ids (n,) and item_ids (n,), int64; returns (n,) scores: a model's `predict`
    user_ids    (B,) int, not below 0
    targets     (B,) int, not below 0, one target a row
    negatives   (B, n_negatives) int, not below 0. A negative that a row holds twice counts twice
    batch_size  rows scored at a time, each with its n_negatives + 1 candidates; at least 1
    returns     (B,) float64; ties share their average rank
    raises      ValueError if shapes do not fit, an id is negative, a score is NaN, or a target is among its own
                negatives; TypeError for ids that are not whole numbers; for ids that are too large, what `score` raises
    """
    user_ids, targets, negatives = (
        whole_numbers(ids, name)
        for ids, name in ((user_ids, "user_ids"), (targets, "targets"), (negatives, "negatives"))
    )
    if targets.ndim != 1 or user_ids.shape != targets.shape or negatives.ndim != 2 or len(negatives) != len(targets):
        raise ValueError(
            f"user_ids {user_ids.shape}, targets {targets.shape} and negatives {negatives.shape}: "
            "(B,), (B,) and (B, n_negatives) were expected"
        )
    for name, ids in (("user_ids", user_ids), ("targets", targets), ("negatives", negatives)):
        if ids.size and ids.min() < 0:  # to an array of scores -1 is the last item
            raise ValueError(f"{name} hold {ids.min()}: ids are numbered from 0")
    own = (negatives == targets[:, None]).any(axis=1)
    if own.any():
        raise ValueError(f"row {own.argmax()}: its target, item {targets[own.argmax()]}, is among its negatives")
    result = np.empty(len(targets))
    for rows in _batches(len(targets), batch_size):
        candidates = np.column_stack([targets[rows], negatives[rows]])
        scores = np.asarray(score(np.repeat(user_ids[rows], candidates.shape[1]), candidates.ravel()))
        if scores.shape != (candidates.size,):
            raise ValueError(f"score returned the shape {scores.shape} for {candidates.size} pairs")
        scores = scores.reshape(candidates.shape)
        nan = scores != scores
        if nan.any():
            row, place = np.argwhere(nan)[0]
            raise ValueError(f"the score of user {user_ids[rows[row]]} and item {candidates[row, place]} is NaN")
        result[rows] = ranks(scores, np.zeros(len(rows), np.int64))
    return result


def targets_by_row(row_ids: ArrayLike, item_ids: ArrayLike, n_rows: int) -> np.ndarray:
    """Pairs (row, relevant item) as the table of targets that `ranks` takes.

    row_ids   (n,) int, each in [0, n_rows), in any order
    item_ids  (n,) int, not below 0
    n_rows    how many rows there are; those without a pair become rows with nothing relevant
    returns   (n_rows, T) int64, where T is the most that a row has, at least 1; each row's items in ascending order,
              then NO_ITEM
    raises    ValueError if the shapes differ, an id is out of range or a pair occurs twice; TypeError for ids that are
              not whole numbers
    """
    row_ids, item_ids = whole_numbers(row_ids, "row_ids"), whole_numbers(item_ids, "item_ids")
    if row_ids.ndim != 1 or row_ids.shape != item_ids.shape:
        raise ValueError(f"row_ids {row_ids.shape} and item_ids {item_ids.shape} must both have the shape (n,)")
    wrong = (row_ids < 0) | (row_ids >= n_rows) | (item_ids < 0)
    if wrong.any():
        raise ValueError(
            f"row {row_ids[wrong][0]}, item {item_ids[wrong][0]}: rows are 0 to {n_rows - 1}, items from 0"
        )
    order = np.lexsort((item_ids, row_ids))
    row_ids, item_ids = row_ids[order], item_ids[order]
    twice = (np.diff(row_ids) == 0) & (np.diff(item_ids) == 0)
    if twice.any():
        raise ValueError(f"row {row_ids[1:][twice][0]} has item {item_ids[1:][twice][0]} twice")
    counts = np.bincount(row_ids, minlength=n_rows)
    place = np.arange(len(row_ids)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((n_rows, max(1, counts.max(initial=0))), NO_ITEM, dtype=np.int64)
    table[row_ids, place] = item_ids
    return table


def _ranks_of_block(scores: np.ndarray, targets: np.ndarray, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Ranks (b, T) where the pairs (rows, items) do not compete. Nothing is sorted: two comparisons a target."""
    n_rows, n_places = targets.shape
    present = targets >= 0
    is_target = np.zeros(scores.shape, dtype=bool)
    is_target[np.nonzero(present)[0], targets[present]] = True
    removed = ~is_target[rows, items]
    rows, removed_scores = rows[removed], scores[rows[removed], items[removed]]
    result = np.full(targets.shape, np.nan)
    for place in range(n_places):
        here = present[:, place]
        own = scores[np.arange(n_rows), np.where(here, targets[:, place], 0)]
        candidates, bar = (scores, own) if here.all() else (scores[here], own[here])
        better = np.count_nonzero(candidates > bar[:, None], axis=1)
        equal = np.count_nonzero(candidates == bar[:, None], axis=1)
        better -= np.bincount(rows[removed_scores > own[rows]], minlength=n_rows)[here]
        equal -= np.bincount(rows[removed_scores == own[rows]], minlength=n_rows)[here]
        result[here, place] = 1 + better + (equal - 1) / 2  # the target equals itself
    return result


def _refuse_targets(targets: np.ndarray, n_items: int, padding_item: int | None) -> None:
    # In (B,) a -1 is no blank: it is what an id map gives for an unknown id, and its row would count as a miss.
    wrong = (targets < (0 if targets.ndim == 1 else NO_ITEM)) | (targets >= n_items)
    if wrong.any():
        row = np.nonzero(wrong)[0][0]
        raise ValueError(f"target {targets[wrong][0]} of row {row} does not fit {n_items} items")
    if targets.ndim == 2:
        ordered = np.sort(targets, axis=1)
        twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NO_ITEM)
        if twice.any():
            row, place = np.argwhere(twice)[0]
            raise ValueError(f"row {row} has the target {ordered[row, place]} twice")
    if padding_item is not None and (targets == padding_item).any():
        row = np.nonzero(targets == padding_item)[0][0]
        raise ValueError(f"the target of row {row} is the padding item {padding_item}, which is never ranked")


def _batches(n_rows: int, batch_size: int) -> list[np.ndarray]:
    batch_size = whole_number(batch_size, "batch_size", least=1)
    return [np.arange(start, min(start + batch_size, n_rows)) for start in range(0, n_rows, batch_size)]
