"""How rivals are measured: for each task one way to split a data set, and the metrics of a fitted model.

Split `seed` is a function of the ratings and that number alone, so that all models of a task meet the same splits and
their values can be compared in pairs.

explicit   splits.random_split: a fifth of the ratings is held back. Predict their stars.
retrieval  splits.leave_one_out: the latest rating of every user is held back, whatever its stars, after the latest 0 to
           4 of them were dropped, which gives fresh splits to repeat on. Rank the held-back item against 99 others
           drawn evenly and without repeats from the items in neither part of the user's history, the same for all
           models; and against the whole catalogue less the user's training items.
sequence   Spotlight's user_based_train_test_split: about a fifth of the users are held back, with their whole
           histories, cut into windows of ten from the newest item backwards. Rank the last item of every window, given
           the items before it, against the whole catalogue: all of it ("context kept") or less the items of the
           context ("context removed"). Windows of one item have an empty context and count; all windows weigh alike.
           The padding is never ranked.

Explicit and retrieval: dense ids from 0, over the whole data set. Sequence: users and items numbered from 1 in order of
their raw ids, over the whole data set; in ml-100k these are the raw ids, as in Spotlight's own loader.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from course_utils.baselines.pairs import to_matrix
from course_utils.evaluation import catalogue_ranks, hit_rate_at, ndcg_at, ranks, reciprocal_rank, rmse, sampled_ranks
from course_utils.interactions import EncodedRatings, encode
from course_utils.negatives import SeenItems, sample_distinct_negatives
from course_utils.splits import in_time_order, leave_one_out, random_split
from course_utils.spotlight.cross_validation import user_based_train_test_split
from course_utils.spotlight.interactions import Interactions

WINDOW = 10
N_NEGATIVES = 99
TOP_K = 10


@dataclass(frozen=True)
class Protocol:
    """A task: how to split, what to measure.

    split    (ratings, seed) -> a fold, which holds what is fitted on and what is asked for
    measure  (fitted model, fold) -> one number for each of the metrics, in their order
    metrics  names, as they stand in the recorded results
    """

    split: Callable[[pd.DataFrame, int], Any]
    measure: Callable[[Any, Any], tuple[float, ...]]
    metrics: tuple[str, ...]


class ExplicitFold(NamedTuple):
    """The two parts of the ratings, with the ids of the whole."""

    train: EncodedRatings
    test: EncodedRatings


class RetrievalFold(NamedTuple):
    """Every user's history, and the item after it.

    train      rows in order of time
    test       one row a user
    negatives  (n_test, 99) int64
    seen       (n_test, n_items), nonzero where the user of a test row has a training item
    """

    train: EncodedRatings
    test: EncodedRatings
    negatives: np.ndarray
    seen: sparse.csr_matrix


class SequenceFold(NamedTuple):
    """Histories of some users, and windows of others.

    train     interactions of the users that are not held back
    contexts  (n_test, 9) int32, 0 where padded
    targets   (n_test,) int32
    """

    train: Interactions
    contexts: np.ndarray
    targets: np.ndarray


def _split_explicit(ratings: pd.DataFrame, seed: int) -> ExplicitFold:
    everything = encode(ratings)
    parts = random_split(ratings, 0.2, rng=np.random.default_rng(seed))
    return ExplicitFold(*(encode(part, everything.users, everything.items) for part in parts))


def _measure_explicit(model, fold: ExplicitFold) -> tuple[float, ...]:
    return (rmse(fold.test.ratings, model.predict(fold.test.user_ids, fold.test.item_ids)),)


def _split_retrieval(ratings: pd.DataFrame, seed: int) -> RetrievalFold:
    everything = encode(ratings)
    rng = np.random.default_rng(seed)
    parts = leave_one_out(ratings, max_dropped=4, rng=rng)
    train, test = (encode(in_time_order(part), everything.users, everything.items) for part in parts)
    sizes = train.n_users, train.n_items
    met = SeenItems(
        np.concatenate([train.user_ids, test.user_ids]), np.concatenate([train.item_ids, test.item_ids]), *sizes
    )
    negatives = sample_distinct_negatives(test.user_ids, met, N_NEGATIVES, rng)
    return RetrievalFold(train, test, negatives, to_matrix(train.user_ids, train.item_ids, *sizes)[test.user_ids])


def _measure_retrieval(model, fold: RetrievalFold) -> tuple[float, ...]:
    users, targets = fold.test.user_ids, fold.test.item_ids
    sampled = sampled_ranks(model.predict, users, targets, fold.negatives)
    full = catalogue_ranks(lambda rows: model.score_users(users[rows]), targets, seen=fold.seen)
    values = (
        *(metric(sampled, TOP_K) for metric in (hit_rate_at, ndcg_at)),
        *(metric(full, TOP_K) for metric in (hit_rate_at, ndcg_at)),
        reciprocal_rank(full),
    )
    return tuple(float(value.mean()) for value in values)


def _split_sequence(ratings: pd.DataFrame, seed: int) -> SequenceFold:
    ratings = ratings.sort_values("position")  # the tie rule of events in the same second
    users, user_ids = np.unique(ratings["user_id"], return_inverse=True)
    items, item_ids = np.unique(ratings["item_id"], return_inverse=True)
    interactions = Interactions(
        (user_ids + 1).astype(np.int32),
        (item_ids + 1).astype(np.int32),
        timestamps=ratings["timestamp"].to_numpy(),
        num_users=len(users) + 1,
        num_items=len(items) + 1,
    )
    train, test = user_based_train_test_split(interactions, random_state=np.random.RandomState(seed))
    windows = test.to_sequence(WINDOW).sequences
    return SequenceFold(train, windows[:, :-1], windows[:, -1])


def _measure_sequence(model, fold: SequenceFold, batch_size: int = 1024) -> tuple[float, ...]:
    kept, removed = [], []
    for start in range(0, len(fold.targets), batch_size):
        rows = slice(start, start + batch_size)
        contexts, targets = fold.contexts[rows], fold.targets[rows]
        scores = model.score_sequences(contexts)
        own = np.repeat(np.arange(len(contexts)), contexts.shape[1])
        context_items = to_matrix(own, contexts.ravel(), *scores.shape)
        kept.append(ranks(scores, targets, padding_item=0))
        removed.append(ranks(scores, targets, padding_item=0, seen=context_items))
    return tuple(float(reciprocal_rank(np.concatenate(parts)).mean()) for parts in (kept, removed))


PROTOCOLS = {
    "explicit": Protocol(_split_explicit, _measure_explicit, ("rmse",)),
    "retrieval": Protocol(
        _split_retrieval,
        _measure_retrieval,
        ("hr@10 (99 negatives)", "ndcg@10 (99 negatives)", "hr@10", "ndcg@10", "mrr"),
    ),
    "sequence": Protocol(_split_sequence, _measure_sequence, ("mrr", "mrr (context removed)")),
}
