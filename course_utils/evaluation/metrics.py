"""Ranking metrics from the ranks of the right items: one value a row.

The mean over the rows, its interval and its comparison with another model's are then the caller's (intervals.py):
nothing here is averaged over batches.

Every function takes ranks (B,), one target a row, or (B, T), up to T targets a row with NaN in the places that a row
does not need: what `ranks` returns. In this form one row of input is one value of output, so the values line up with
user ids, and a batch is a slice.

- Ranks start at 1. The list of a row is cut after `top_k`; a target is in it if its rank is at most top_k. With an
  average rank of 10.5, shared by places 10 and 11, it is not in the top 10. top_k may exceed the catalogue.
- Ties: targets of a row that share a rank take places next to each other around it, one apart (two at rank 1.5 take
  places 1 and 2), because their order among themselves changes no metric. So n targets never fill less than n places,
  and no metric exceeds 1.
- What competes for a rank, padding and seen items, is settled when ranks are made.
- A row with nothing relevant (all NaN) counts 0 in every metric. Leave such rows out beforehand if they should not
  count.

Every function raises ValueError for a rank below 1, for ranks that cannot occur (two targets at rank 1), and for a
top_k below 1; TypeError for a top_k that is not one whole number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from course_utils.whole_numbers import whole_number


def hit_rate_at(ranks: ArrayLike, top_k: int) -> np.ndarray:
    """HR@k, hit rate: 1 if at least one target is among the top_k, else 0.

    ranks    (B,) or (B, T) numbers, NaN for no target
    returns  (B,) float64, 0 or 1
    """
    return _hits(_places(ranks), top_k).any(axis=1).astype(np.float64)


def precision_at(ranks: ArrayLike, top_k: int) -> np.ndarray:
    """Precision@k: the share of the top_k places that targets take. The divisor is top_k, however small the catalogue.

    ranks    (B,) or (B, T) numbers, NaN for no target
    returns  (B,) float64 in [0, 1]
    """
    return _hits(_places(ranks), top_k).sum(axis=1) / top_k


def recall_at(ranks: ArrayLike, top_k: int) -> np.ndarray:
    """Recall@k: the share of the row's targets that are among the top_k. With one target it equals HR@k.

    ranks    (B,) or (B, T) numbers, NaN for no target
    returns  (B,) float64 in [0, 1]
    """
    places = _places(ranks)
    return _hits(places, top_k).sum(axis=1) / np.maximum(1, _n_targets(places))


def reciprocal_rank(ranks: ArrayLike) -> np.ndarray:
    """1 / the rank of the best target, over the whole list; its mean over rows is the MRR (Voorhees, TREC-8, 1999).

    ranks    (B,) or (B, T) numbers, NaN for no target
    returns  (B,) float64 in [0, 1]
    """
    first = _places(ranks)[:, 0]
    return np.where(np.isnan(first), 0.0, 1 / first)


def ndcg_at(ranks: ArrayLike, top_k: int) -> np.ndarray:
    """NDCG@k for targets that are all equally relevant: DCG over the best DCG that this many targets can reach.

    A target at rank r within the top_k gains 1 / log2(1 + r) (discounted gain: Järvelin & Kekäläinen, ACM TOIS 2002;
    with this discount, which lowers the second place already, as most libraries have it). With one target the best is
    1, and NDCG@k is the gain itself.

    ranks    (B,) or (B, T) numbers, NaN for no target
    returns  (B,) float64 in [0, 1]
    """
    places = _places(ranks)
    gains = np.where(_hits(places, top_k), 1 / np.log2(1 + places), 0.0).sum(axis=1)
    n_targets = np.minimum(_n_targets(places), top_k)
    best = np.cumsum(1 / np.log2(1 + np.arange(1, places.shape[1] + 1)))  # of 1, 2, ... T targets
    return np.where(n_targets > 0, gains / best[np.maximum(1, n_targets) - 1], 0.0)


def average_precision_at(ranks: ArrayLike, top_k: int) -> np.ndarray:
    """AP@k: the precisions at the targets within the top_k, summed, over min(targets, top_k). Their mean is MAP@k.

    The precision at a row's n-th best target, at rank r, is n / r. Dividing by min(targets, top_k) lets a perfect list
    reach 1; others divide by the number of targets (trec_eval) or by the number of hits (torchmetrics), which is the
    same only where every target is among the top_k.

    ranks    (B,) or (B, T) numbers, NaN for no target
    returns  (B,) float64 in [0, 1]; with one target 1 / rank within the top_k
    """
    places = _places(ranks)
    precisions = np.where(_hits(places, top_k), np.arange(1, places.shape[1] + 1) / places, 0.0)
    return precisions.sum(axis=1) / np.maximum(1, np.minimum(_n_targets(places), top_k))


def _hits(places: np.ndarray, top_k: int) -> np.ndarray:
    return places <= whole_number(top_k, "top_k", least=1)  # False for NaN


def _n_targets(places: np.ndarray) -> np.ndarray:
    return np.count_nonzero(~np.isnan(places), axis=1)


def _places(ranks: ArrayLike) -> np.ndarray:
    """Each row's targets in order of rank, at least one apart: (B, T) float64, NaN last."""
    ranks = np.asarray(ranks, dtype=np.float64)
    if ranks.ndim not in (1, 2):
        raise ValueError(f"ranks of shape {ranks.shape}: (B,) or (B, T) was expected")
    places = np.sort(ranks[:, None] if ranks.ndim == 1 else ranks, axis=1)
    n_rows, n_places = places.shape
    if n_places == 0:
        return np.full((n_rows, 1), np.nan)
    order = np.broadcast_to(np.arange(1.0, n_places + 1), places.shape)
    starts = np.ones(places.shape, dtype=bool)
    starts[:, 1:] = places[:, 1:] != places[:, :-1]
    ends = np.ones(places.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    first = np.maximum.accumulate(np.where(starts, order, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, order, np.inf)[:, ::-1], axis=1)[:, ::-1]
    places = places + order - (first + last) / 2  # the middle of a tie is the rank that it shares
    impossible = places < order
    if impossible.any():
        row = impossible.any(axis=1).argmax()
        raise ValueError(f"row {row} has ranks that cannot occur: {np.sort(np.atleast_1d(ranks[row]))[:5]}")
    return places
