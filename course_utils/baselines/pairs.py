"""What the rivals for retrieval and sequences share: pairs of a user and an item that was met, and scores of all items.

All of them have one surface. fit(user_ids, item_ids, n_users=, n_items=) returns the model itself; every pair is a
positive, whatever its rating was. Then score_users(user_ids) gives every item a score for users that were fitted,
predict(user_ids, item_ids) one score a pair, and score_sequences(sequences), where a model has it, every item a score
for histories of anybody; item ids are from 1 then, in the fit too, as 0 is the padding. Scores are float32, higher is
better, and mean nothing between models.

Ids are whole numbers in one dimension, as arrays or lists. fit, predict and score_users raise ValueError for shapes
and ids that do not fit, TypeError for ids that are not whole; all but fit raise RuntimeError before the first fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from course_utils.whole_numbers import whole_numbers


def pairs_to_fit(user_ids: ArrayLike, item_ids: ArrayLike, n_users: int, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """As `pairs`, and ValueError if there is none."""
    user_ids, item_ids = pairs(user_ids, item_ids, n_users, n_items)
    if len(user_ids) == 0:
        raise ValueError("no pairs: nothing to fit")
    return user_ids, item_ids


def pairs(user_ids: ArrayLike, item_ids: ArrayLike, n_users: int | None, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """The ids of both, (n,) and (n,) int64; ValueError if the lengths differ, and errors as of `ids_below`."""
    user_ids, item_ids = ids_below(n_users, user_ids, "user"), ids_below(n_items, item_ids, "item")
    if len(user_ids) != len(item_ids):
        raise ValueError(f"{len(user_ids)} user ids and {len(item_ids)} item ids differ")
    return user_ids, item_ids


def ids_below(n: int | None, ids: ArrayLike, name: str) -> np.ndarray:
    """The ids as (n_ids,) int64, in [0, n); of any size where n is None.

    Raises ValueError, with the offending shape or number, for what does not fit, TypeError for what is not whole.
    """
    ids = whole_numbers(ids, f"{name} ids")
    if ids.ndim != 1:
        raise ValueError(f"{name} ids have the shape {ids.shape}: (n,) was expected")
    _refuse_misfits(name, ids, n)
    return ids


def sequences_of(n_items: int, sequences: ArrayLike) -> np.ndarray:
    """The windows as (w, L) int64, items in [1, n_items) and 0 for padding; errors as of `ids_below`."""
    sequences = whole_numbers(sequences, "sequences")
    if sequences.ndim != 2:
        raise ValueError(f"sequences have the shape (windows, length), found {sequences.shape}")
    _refuse_misfits("item", sequences, n_items)
    return sequences


def fitted(model: object, attribute: str) -> Any:
    """What fit left in the model under this name; RuntimeError before the first fit."""
    if not hasattr(model, attribute):
        raise RuntimeError("this model has not been fitted: call fit first")
    return getattr(model, attribute)


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
        scores[rows] = catalogue[places[rows] - start, item_ids[rows]]
    return scores


def _refuse_misfits(name: str, ids: np.ndarray, n: int | None) -> None:
    if n is not None and ids.size and (ids.min() < 0 or ids.max() >= n):
        raise ValueError(f"{name} ids from {ids.min()} to {ids.max()} do not fit n_{name}s={n}")
