"""Lists of recommended items, and what a set of lists says about a model beyond its hits.

A list holds item ids, best first; NO_ITEM (-1) fills the end of a list that is shorter than the others and counts
nowhere. Coverage and Gini index are those of Shani & Gunawardana, Evaluating recommendation systems (Recommender
Systems Handbook, 2011). Novelty is the self-information of an item, as in Zhou et al., Solving the apparent
diversity-accuracy dilemma of recommender systems (PNAS 2010).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from course_utils.evaluation.candidates import NO_ITEM, Seen, candidate_blocks
from course_utils.whole_numbers import whole_number, whole_numbers


def top_items(
    scores: ArrayLike,
    top_k: int,
    *,
    seen: Seen = None,
    padding_item: int | None = None,
) -> np.ndarray:
    """The top_k items of each row, best first; of equal scores, the lower item id first.

    scores        (B, n_items) numbers, higher is better; whole numbers are compared as float64
    top_k         length of the lists, at least 1; may exceed the catalogue
    seen          (B, n_items) bool, or a scipy sparse matrix whose nonzero entries count: items that are not listed
                  for that row. None: every item may be listed
    padding_item  an item id that is never listed; None if all columns are real items
    returns       (B, top_k) int64; NO_ITEM fills the rows that have fewer than top_k candidates
    raises        ValueError for a NaN score, a top_k below 1 and shapes that do not fit; TypeError for scores that are
                  not numbers, a top_k that is not one whole number and a seen of another kind
    """
    top_k = whole_number(top_k, "top_k", least=1)
    scores = np.asarray(scores)
    lists = np.full((*scores.shape[:1], top_k), NO_ITEM, dtype=np.int64)
    for block, block_scores, removed in candidate_blocks(scores, seen, padding_item):
        length = min(top_k, block_scores.shape[1])
        if length:
            lists[block, :length] = _smallest(_costs(block_scores, removed), length)
    return lists


def coverage(lists: ArrayLike, n_items: int, *, padding_item: int | None = None) -> float:
    """The share of the catalogue that at least one list holds.

    lists         (B, top_k) int, items in [0, n_items) or NO_ITEM
    n_items       the number of item ids, the padding item's among them
    padding_item  an id that is no item and may not be listed; None if every id is an item
    returns       a float in [0, 1]; 0 if nothing is listed
    raises        ValueError for an id that is no item, and for a catalogue without items
    """
    return float(np.mean(_times_listed(lists, n_items, padding_item) > 0))


def gini(lists: ArrayLike, n_items: int, *, padding_item: int | None = None) -> float:
    """The Gini index of how often each item is listed: 0 if all are listed alike, 1 if one item takes every place.

    With p_1 <= ... <= p_n, the items' shares of all listings: sum over j of (2 j - n - 1) p_j, over n - 1. (Dividing by
    n, as is done as well, would leave the maximum at 1 - 1/n.)

    lists         (B, top_k) int, items in [0, n_items) or NO_ITEM
    n_items       the number of item ids, the padding item's among them
    padding_item  an id that is no item and may not be listed; None if every id is an item
    returns       a float in [0, 1]; 0 for a catalogue of one item
    raises        ValueError for an id that is no item, for a catalogue without items, and if nothing is listed
    """
    times = np.sort(_times_listed(lists, n_items, padding_item))
    if times.sum() == 0:
        raise ValueError("nothing is listed: the inequality of no listings is not defined")
    n = len(times)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float(weights @ times / times.sum() / max(1, n - 1))


def novelty(lists: ArrayLike, popularity: ArrayLike) -> np.ndarray:
    """How unexpected each list is: the mean over its items of -log2(popularity), in bits.

    lists       (B, top_k) int, items in [0, n_items) or NO_ITEM
    popularity  (n_items,) the share of users who met the item, in [0, 1], counted on the training rows
    returns     (B,) float64, not below 0: an item that every user met is worth 0 bits, one that half of them met 1 bit.
                A list without items counts 0
    raises      ValueError for an id that is no item, a popularity outside [0, 1], and a listed item of popularity 0,
                whose novelty has no bound: count one more user for every item if such items can be listed
    """
    popularity = np.asarray(popularity, dtype=np.float64)
    if popularity.ndim != 1:
        raise ValueError(f"popularity of shape {popularity.shape}: (n_items,) was expected")
    wrong = ~((popularity >= 0) & (popularity <= 1))
    if wrong.any():
        raise ValueError(f"item {wrong.argmax()} has popularity {popularity[wrong.argmax()]}: a share was expected")
    lists = _checked_lists(lists, len(popularity))
    shares = np.append(popularity, 1.0)[lists]  # NO_ITEM finds the last one, worth 0 bits
    if not shares.all():
        raise ValueError(f"item {lists[shares == 0][0]} is listed and has popularity 0: its novelty has no bound")
    return np.abs(np.log2(shares)).sum(axis=1) / np.maximum(1, np.count_nonzero(lists != NO_ITEM, axis=1))


def _costs(scores: np.ndarray, removed: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The scores with their sign turned, so that a sort puts the best first, and NaN, sorted last, where removed."""
    costs = -scores if scores.dtype.kind == "f" else -scores.astype(np.float64)
    costs[removed] = np.nan
    return costs


def _smallest(costs: np.ndarray, length: int) -> np.ndarray:
    """Ids (b, length) of each row's smallest costs, in order, ties by lower id; NO_ITEM where the cost is NaN."""
    bar = np.partition(costs, length - 1, axis=1)[:, length - 1, None]  # the cost in the last place; NaN sorts last
    short, gone = np.isnan(bar), np.isnan(costs)
    below = (costs < bar) | (short & ~gone)
    at_bar = (costs == bar) | (short & gone)
    room = length - np.count_nonzero(below, axis=1)
    chosen = below | (at_bar & (np.cumsum(at_bar, axis=1) <= room[:, None]))  # exactly `length` of each row
    ids = np.nonzero(chosen)[1].reshape(-1, length)
    costs = np.take_along_axis(costs, ids, axis=1)
    order = np.argsort(costs, axis=1, kind="stable")
    ids[np.isnan(costs)] = NO_ITEM
    return np.take_along_axis(ids, order, axis=1)


def _times_listed(lists: ArrayLike, n_items: int, padding_item: int | None) -> np.ndarray:
    """How often each item of the catalogue is listed: (n_items,) int64, one less if one id is padding."""
    lists = _checked_lists(lists, n_items)
    times = np.bincount(lists[lists != NO_ITEM], minlength=n_items)
    if padding_item is not None:
        if not 0 <= padding_item < n_items:
            raise ValueError(f"padding_item={padding_item} does not fit {n_items} items")
        if times[padding_item]:
            raise ValueError(f"the padding item {padding_item} is listed {times[padding_item]} times")
        times = np.delete(times, padding_item)
    if len(times) == 0:
        raise ValueError("a catalogue has at least one item")
    return times


def _checked_lists(lists: ArrayLike, n_items: int) -> np.ndarray:
    lists = whole_numbers(lists, "lists")
    if lists.ndim != 2:
        raise ValueError(f"lists of shape {lists.shape}: (B, top_k) was expected")
    wrong = (lists < NO_ITEM) | (lists >= n_items)
    if wrong.any():
        raise ValueError(f"listed id {lists[wrong][0]} does not fit {n_items} items")
    return lists
