"""What the rivals for retrieval and sequences share: pairs of a user and an item that was met, and scores of all items.

All of them have one surface. fit(user_ids, item_ids, n_users=, n_items=) returns the model itself; every pair is a
positive, whatever its rating was. Then score_users(user_ids) gives every item a score for users that were fitted,
predict(user_ids, item_ids) one score a pair, and score_sequences(sequences), where a model has it, every item a score
for histories of anybody; item ids are from 1 then, in the fit too, as 0 is the padding. Scores are float32, higher is
better, and mean nothing between models.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse


def check_pairs(user_ids: np.ndarray, item_ids: np.ndarray, n_users: int, n_items: int) -> None:
    """ValueError, with the offending number, unless these are one or more pairs (n,), (n,) with ids that fit."""
    if len(user_ids) != len(item_ids):
        raise ValueError(f"{len(user_ids)} user ids and {len(item_ids)} item ids differ")
    if len(user_ids) == 0:
        raise ValueError("no pairs: nothing to fit")
    check_ids("user", user_ids, n_users)
    check_ids("item", item_ids, n_items)


def check_ids(name: str, ids: np.ndarray, n: int) -> None:
    """ValueError, with the offending number, unless all ids lie in [0, n); no ids are fine."""
    if ids.size and (ids.min() < 0 or ids.max() >= n):
        raise ValueError(f"{name} ids from {ids.min()} to {ids.max()} do not fit n_{name}s={n}")


def check_sequences(sequences: np.ndarray, n_items: int) -> None:
    """ValueError, with the offending number, unless sequences is (w, L), items in [1, n_items) and 0 for padding."""
    if sequences.ndim != 2:
        raise ValueError(f"sequences have the shape (windows, length), found {sequences.shape}")
    check_ids("item", sequences, n_items)


def to_matrix(user_ids: np.ndarray, item_ids: np.ndarray, n_users: int, n_items: int) -> sparse.csr_matrix:
    """Who met what: (n_users, n_items) float32, 1 for a pair however often it occurs, nothing elsewhere.

    A csr_matrix and not a csr_array, since the library `implicit` takes no other.
    """
    ones = np.ones(len(user_ids), dtype=np.float32)
    matrix = sparse.csr_matrix((ones, (user_ids, item_ids)), shape=(n_users, n_items))  # sums repeats
    matrix.data[:] = 1
    return matrix


def scores_of_pairs(
    score_users: Callable[[np.ndarray], np.ndarray], user_ids: np.ndarray, item_ids: np.ndarray, batch_size: int = 1024
) -> np.ndarray:
    """Pairs out of whole catalogues, for models that know no shorter way; each user is scored once.

    score_users  (B,) user ids -> (B, n_items) float32, called with at most batch_size different users
    user_ids     (n,) int
    item_ids     (n,) int, values in [0, n_items)
    returns      (n,) float32
    """
    users, places = np.unique(user_ids, return_inverse=True)
    order = np.argsort(places, kind="stable")
    scores = np.empty(len(places), dtype=np.float32)
    for start in range(0, len(users), batch_size):
        first, last = np.searchsorted(places, (start, start + batch_size), sorter=order)
        rows = order[first:last]
        catalogue = score_users(users[start : start + batch_size])
        check_ids("item", item_ids[rows], catalogue.shape[1])
        scores[rows] = catalogue[places[rows] - start, item_ids[rows]]
    return scores
