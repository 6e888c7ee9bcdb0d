"""A rating as the global mean, plus how generous the user is, plus how well liked the item is; no taste at all.

The model and its penalty are equation (3) of Koren, Bell and Volinsky, "Matrix factorization techniques for recommender
systems" (Computer 42(8), 2009) without the factors: with the mean μ, find the b and c with the least

    Σ (r_ui - μ - b_u - c_i)² + λ (Σ b_u² + Σ c_i²).

Given the c, the best b has a closed form, and the other way round:

    b_u = Σ_i (r_ui - μ - c_i) / (λ + n_u),   c_i = Σ_u (r_ui - μ - b_u) / (λ + n_i),

with n_u and n_i the numbers of ratings. Taking turns lowers the sum at every step and, as the sum is strictly convex
for λ > 0, ends at its only minimum. A bias that rests on few ratings is drawn towards 0, hence "damped".
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from course_utils.baselines.means import look_up, ratings_to_fit


class DampedBiases:
    """Global mean + user bias + item bias; a user or item without training ratings has the bias 0.

    damping        λ, as many ratings as the pull towards 0 weighs; more than 0
    mean_          float, in stars, after fit
    user_biases_   (n_users,) float64, in stars
    item_biases_   (n_items,) float64, in stars
    """

    def __init__(self, damping: float = 5.0) -> None:
        if not damping > 0:
            raise ValueError(f"damping must be more than 0, got {damping}")
        self.damping = damping

    def fit(self, user_ids: ArrayLike, item_ids: ArrayLike, ratings: ArrayLike, *, n_users: int, n_items: int) -> Self:
        """Take turns until no item bias moves by more than a millionth of a star.

        user_ids  (n,) int, values in [0, n_users)
        item_ids  (n,) int, values in [0, n_items)
        ratings   (n,) numbers, in stars
        raises    ValueError if the shapes differ, n is 0 or an id does not fit
        """
        user_ids, item_ids, ratings = ratings_to_fit(user_ids, item_ids, ratings, n_users, n_items)
        self.mean_ = float(np.mean(ratings, dtype=np.float64))
        residuals = ratings.astype(np.float64) - self.mean_
        user_weights = 1 / (self.damping + np.bincount(user_ids, minlength=n_users))
        item_weights = 1 / (self.damping + np.bincount(item_ids, minlength=n_items))
        item_biases = np.zeros(n_items)
        moved = np.inf
        while moved > 1e-6:
            left_for_users = residuals - item_biases[item_ids]
            user_biases = user_weights * np.bincount(user_ids, weights=left_for_users, minlength=n_users)
            left_for_items = residuals - user_biases[user_ids]
            before = item_biases
            item_biases = item_weights * np.bincount(item_ids, weights=left_for_items, minlength=n_items)
            moved = np.abs(item_biases - before).max()
        self.user_biases_, self.item_biases_ = user_biases, item_biases
        return self

    def predict(self, user_ids: ArrayLike, item_ids: ArrayLike) -> np.ndarray:
        """Score pairs.

        user_ids  (n,) int, values in [-1, n_users); -1 is an unknown user, with the bias 0
        item_ids  (n,) int, values in [-1, n_items); -1 is an unknown item, with the bias 0
        returns   (n,) float32, in stars, not clipped to the scale
        raises    ValueError if an id does not fit
        """
        user_biases = look_up(self.user_biases_, user_ids, unknown=0.0)
        item_biases = look_up(self.item_biases_, item_ids, unknown=0.0)
        return (self.mean_ + user_biases + item_biases).astype(np.float32)
