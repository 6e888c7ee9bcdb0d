"""The three simplest predictions of a rating: everyone's mean, the user's own mean, the item's own mean.

All models here share one surface: fit(user_ids, item_ids, ratings, n_users=, n_items=) returns the model itself,
predict(user_ids, item_ids) gives one score a pair. An id of -1 stands for a user or item that nobody has numbered, as
IdMap.encode returns it, and is treated like one without a rating in the training set. Columns are arrays or lists; ids
that are not whole numbers raise TypeError.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from course_utils.baselines.pairs import ids_below
from course_utils.whole_numbers import whole_numbers


class GlobalMean:
    """Predicts the mean of all training ratings, whatever the pair.

    mean_  float, in stars, after fit
    """

    def fit(self, user_ids: ArrayLike, item_ids: ArrayLike, ratings: ArrayLike, *, n_users: int, n_items: int) -> Self:
        """Take the mean.

        user_ids  (n,) int, values in [0, n_users)
        item_ids  (n,) int, values in [0, n_items)
        ratings   (n,) numbers, in stars
        raises    ValueError if the shapes differ, n is 0 or an id does not fit
        """
        user_ids, item_ids, ratings = ratings_to_fit(user_ids, item_ids, ratings, n_users, n_items)
        self.mean_ = float(np.mean(ratings, dtype=np.float64))
        return self

    def predict(self, user_ids: ArrayLike, item_ids: ArrayLike) -> np.ndarray:
        """Score pairs.

        user_ids  (n,) int; not looked at
        item_ids  (n,) int; not looked at
        returns   (n,) float32, all the same
        """
        return np.full(len(user_ids), self.mean_, dtype=np.float32)


class UserMean:
    """Predicts the mean of the user's training ratings; the global mean for a user without any.

    means_  (n_users,) float64, in stars, after fit
    mean_   float, the global mean
    """

    def fit(self, user_ids: ArrayLike, item_ids: ArrayLike, ratings: ArrayLike, *, n_users: int, n_items: int) -> Self:
        """Take the means; arguments and errors as in GlobalMean.fit."""
        user_ids, item_ids, ratings = ratings_to_fit(user_ids, item_ids, ratings, n_users, n_items)
        self.mean_ = float(np.mean(ratings, dtype=np.float64))
        self.means_ = group_means(user_ids, ratings, n_users, empty=self.mean_)
        return self

    def predict(self, user_ids: ArrayLike, item_ids: ArrayLike) -> np.ndarray:
        """Score pairs.

        user_ids  (n,) int, values in [-1, n_users)
        item_ids  (n,) int; not looked at
        returns   (n,) float32
        raises    ValueError if a user id does not fit
        """
        return look_up(self.means_, user_ids, unknown=self.mean_).astype(np.float32)


class ItemMean:
    """Predicts the mean of the item's training ratings; the global mean for an item without any.

    means_  (n_items,) float64, in stars, after fit
    mean_   float, the global mean
    """

    def fit(self, user_ids: ArrayLike, item_ids: ArrayLike, ratings: ArrayLike, *, n_users: int, n_items: int) -> Self:
        """Take the means; arguments and errors as in GlobalMean.fit."""
        user_ids, item_ids, ratings = ratings_to_fit(user_ids, item_ids, ratings, n_users, n_items)
        self.mean_ = float(np.mean(ratings, dtype=np.float64))
        self.means_ = group_means(item_ids, ratings, n_items, empty=self.mean_)
        return self

    def predict(self, user_ids: ArrayLike, item_ids: ArrayLike) -> np.ndarray:
        """Score pairs.

        user_ids  (n,) int; not looked at
        item_ids  (n,) int, values in [-1, n_items)
        returns   (n,) float32
        raises    ValueError if an item id does not fit
        """
        return look_up(self.means_, item_ids, unknown=self.mean_).astype(np.float32)


def group_means(ids: np.ndarray, values: np.ndarray, n: int, *, empty: float) -> np.ndarray:
    """Mean of the values of each id: (n,) float64, `empty` for an id that never occurs."""
    counts = np.bincount(ids, minlength=n)
    sums = np.bincount(ids, weights=values, minlength=n)
    return np.where(counts > 0, sums / np.maximum(counts, 1), empty)


def look_up(table: np.ndarray, ids: ArrayLike, *, unknown: float) -> np.ndarray:
    """The table's entry for each id, `unknown` for -1; ValueError for any other id outside the table."""
    ids = whole_numbers(ids, "ids")
    if len(ids) and (ids.min() < -1 or ids.max() >= len(table)):
        raise ValueError(f"ids from {ids.min()} to {ids.max()} do not fit a model of {len(table)}")
    return np.where(ids < 0, unknown, table[ids])


def ratings_to_fit(
    user_ids: ArrayLike, item_ids: ArrayLike, ratings: ArrayLike, n_users: int, n_items: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three columns as arrays, ids int64: one or more ratings with ids that fit.

    Raises ValueError, with the offending shape or number, where they are not, TypeError for ids that are not whole.
    """
    user_ids, item_ids = ids_below(n_users, user_ids, "user"), ids_below(n_items, item_ids, "item")
    ratings = np.asarray(ratings)
    if not user_ids.shape == item_ids.shape == ratings.shape:
        raise ValueError(f"user ids {user_ids.shape}, item ids {item_ids.shape} and ratings {ratings.shape} differ")
    if len(ratings) == 0:
        raise ValueError("no ratings: nothing to fit")
    return user_ids, item_ids, ratings
