"""Recommendations without a person in them: the items that most others met.

Both are the dull rivals of every ranking: no model is worth its training that does not clearly pass them. `Popularity`
goes by the names ItemPop and MostPop in the literature; `MostPopular` is the rival in Spotlight's tutorials, which
knows one item only.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from course_utils.baselines.pairs import fitted, pairs, pairs_to_fit


class Popularity:
    """Scores an item by the number of times it was met, whoever asks.

    counts_  (n_items,) int64, after fit
    """

    def fit(self, user_ids: np.ndarray, item_ids: np.ndarray, *, n_users: int, n_items: int) -> Self:
        """Count.

        user_ids  (n,) int, values in [0, n_users)
        item_ids  (n,) int, values in [0, n_items)
        raises    ValueError if the lengths differ, n is 0 or an id does not fit; TypeError for ids that are not whole
        """
        _, item_ids = pairs_to_fit(user_ids, item_ids, n_users, n_items)
        self.counts_ = np.bincount(item_ids, minlength=n_items)
        return self

    def predict(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        """Score pairs: user_ids (n,) int, of anybody; item_ids (n,) int, in [0, n_items); returns (n,) float32."""
        counts = fitted(self, "counts_")
        _, item_ids = pairs(user_ids, item_ids, None, len(counts))
        return counts[item_ids].astype(np.float32)

    def score_users(self, user_ids: np.ndarray) -> np.ndarray:
        """Score all items: user_ids (B,) int, not looked at; returns (B, n_items) float32, all rows the same."""
        return np.tile(fitted(self, "counts_").astype(np.float32), (len(user_ids), 1))

    def score_sequences(self, sequences: np.ndarray) -> np.ndarray:
        """Score all items: sequences (B, L) int, not looked at; returns (B, n_items) float32, all rows the same."""
        return self.score_users(sequences)


class MostPopular(Popularity):
    """Scores the one item met most often with 1 (of equals, the lowest id) and all others with 0.

    Everything but one item is tied, so this rival says more about the rule for ties than about taste: under average
    ranks, which this course uses, a tied item lands in the middle of the list; under the best rank of a tie it would
    be second, and the mean reciprocal rank about a half.
    """

    def fit(self, user_ids: np.ndarray, item_ids: np.ndarray, *, n_users: int, n_items: int) -> Self:
        """As Popularity.fit."""
        super().fit(user_ids, item_ids, n_users=n_users, n_items=n_items)
        top = self.counts_.argmax()
        self.counts_ = np.zeros_like(self.counts_)
        self.counts_[top] = 1
        return self
