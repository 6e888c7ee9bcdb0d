"""What comes after what: counts of items that follow each other, weighted by how far apart they lie.

With one lag this is the first-order Markov chain over items that Rendle, Freudenthaler and Schmidt-Thieme factorise
("Factorizing personalized Markov chains for next-basket recommendation", WWW 2010), estimated by counting. More lags
fill the counts where the data are few. With f(l) = lag_decay^(l - 1) and the popularity p_b, a share that sums to 1,

    N_ab = Σ f(l) over all pairs in which item b came l places after item a, l = 1 .. n_lags
    P(b | a) = (N_ab + smoothing · p_b) / (Σ_b N_ab + smoothing)
    score of b after the items x_1 .. x_t = Σ_l context_decay^(l - 1) · P(b | x_{t + 1 - l}), l = 1 .. n_lags.

An item that nothing ever followed, and an empty history, are answered by the popularity.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy import sparse

from course_utils.baselines.pairs import fitted, ids_below, pairs, pairs_to_fit, scores_of_pairs, sequences_of


class Markov:
    """Lag-weighted Markov counts; Markov(n_lags=1) looks at the last item only.

    n_lags         how many places back a history reaches, in the counts and in the scores; at least 1
    lag_decay      weight of a pair one place further apart, in (0, 1]
    context_decay  weight of an item one place further back, in (0, 1]
    smoothing      as many successors as the popularity weighs; more than 0
    counts_        (n_items, n_items) sparse float32, N, after fit
    popularity_    (n_items,) float32, sums to 1, after fit
    """

    def __init__(
        self, n_lags: int = 9, lag_decay: float = 0.8, context_decay: float = 0.7, smoothing: float = 50.0
    ) -> None:
        if n_lags < 1:
            raise ValueError(f"n_lags must be at least 1, got {n_lags}")
        for name, value in (("lag_decay", lag_decay), ("context_decay", context_decay)):
            if not 0 < value <= 1:
                raise ValueError(f"{name} must be more than 0 and at most 1, got {value}")
        if not smoothing > 0:
            raise ValueError(f"smoothing must be more than 0, got {smoothing}")
        self.n_lags = n_lags
        self.lag_decay = lag_decay
        self.context_decay = context_decay
        self.smoothing = smoothing

    def fit(self, user_ids: np.ndarray, item_ids: np.ndarray, *, n_users: int, n_items: int) -> Self:
        """Count over whole histories.

        user_ids  (n,) int, values in [0, n_users)
        item_ids  (n,) int, values in [0, n_items); the rows of each user stand in order of time, earliest first
        raises    ValueError if the lengths differ, n is 0 or an id does not fit; TypeError for ids that are not whole
        """
        user_ids, item_ids = pairs_to_fit(user_ids, item_ids, n_users, n_items)
        order = np.argsort(user_ids, kind="stable")  # users together, their rows in the order given
        users, items = user_ids[order], item_ids[order]
        shape = (n_items, n_items)
        self.counts_ = sparse.csr_array(shape, dtype=np.float32)
        for lag in range(1, self.n_lags + 1):
            same = users[:-lag] == users[lag:]
            weights = np.full(np.count_nonzero(same), self.lag_decay ** (lag - 1), dtype=np.float32)
            self.counts_ += sparse.coo_array((weights, (items[:-lag][same], items[lag:][same])), shape=shape).tocsr()
        self.popularity_ = (np.bincount(items, minlength=n_items) / len(items)).astype(np.float32)
        self._row_weights = 1 / (self.counts_.sum(axis=1) + self.smoothing)  # (n_items,)
        ends = np.searchsorted(users, np.arange(n_users), side="right")
        starts = np.searchsorted(users, np.arange(n_users), side="left")
        places = ends[:, None] - np.arange(self.n_lags, 0, -1)  # (n_users, n_lags), the latest on the right
        self._contexts = np.where(places >= starts[:, None], items[places.clip(0)], -1)
        return self

    def predict(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        """Score pairs: user_ids (n,) int, in [0, n_users); item_ids (n,) int, in [0, n_items); returns (n,) float32."""
        sizes = len(fitted(self, "_contexts")), len(self.popularity_)
        return scores_of_pairs(self.score_users, *pairs(user_ids, item_ids, *sizes))

    def score_users(self, user_ids: np.ndarray) -> np.ndarray:
        """Score all items as what comes after the last items that each user had in the training set.

        user_ids  (B,) int, values in [0, n_users)
        returns   (B, n_items) float32
        """
        contexts = fitted(self, "_contexts")
        return self._score(contexts[ids_below(len(contexts), user_ids, "user")])

    def score_sequences(self, sequences: np.ndarray) -> np.ndarray:
        """Score all items as what comes after each window.

        sequences  (B, L) int, the latest on the right, values in [1, n_items), 0 where padded
        returns    (B, n_items) float32; the padding's score is 0, as its popularity is
        """
        sequences = sequences_of(len(fitted(self, "popularity_")), sequences)
        return self._score(np.where(sequences > 0, sequences, -1)[:, -self.n_lags :])

    def _score(self, contexts: np.ndarray) -> np.ndarray:
        """contexts (B, l) int, the latest on the right, -1 for no item; returns (B, n_items) float32."""
        rows, places = np.nonzero(contexts >= 0)
        items = contexts[rows, places]
        decays = self.context_decay ** (contexts.shape[1] - 1 - places)
        weights = (decays * self._row_weights[items]).astype(np.float32)
        shape = (len(contexts), len(self.popularity_))
        chosen = sparse.coo_array((weights, (rows, items)), shape=shape).tocsr()
        weight_of_popularity = self.smoothing * chosen.sum(axis=1)
        weight_of_popularity[~(contexts >= 0).any(axis=1)] = 1
        return (chosen @ self.counts_).toarray() + np.float32(weight_of_popularity[:, None]) * self.popularity_
