"""Two factor models of the library `implicit`, with its random state, threads and noise under control.

ALS    Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets" (ICDM 2008). The library's
       parameters are not the paper's: a positive pair weighs α and all other pairs 1 (the paper: 1 + α and 1), and the
       penalty λ is not multiplied by a user's or an item's number of pairs.
BPR    Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback" (UAI 2009), by stochastic gradient.

Both run on one thread, since the order in which threads update factors is not repeatable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from threadpoolctl import threadpool_limits

from course_utils.baselines.pairs import fitted, ids_below, pairs, pairs_to_fit, to_matrix
from course_utils.whole_numbers import whole_number


class _FactorModel(ABC):
    """A user's vector times an item's vector.

    user_factors_  (n_users, d) float32, after fit
    item_factors_  (n_items, d) float32, after fit
    """

    def __init__(self, n_factors: int, regularisation: float, n_iter: int, rng: np.random.Generator) -> None:
        if not regularisation >= 0:
            raise ValueError(f"regularisation must be at least 0, got {regularisation}")
        self.n_factors = whole_number(n_factors, "n_factors", least=1)
        self.regularisation = regularisation
        self.n_iter = whole_number(n_iter, "n_iter", least=1)
        self.rng = rng

    @abstractmethod
    def _library_model(self):
        """The library's object, untrained."""

    def fit(self, user_ids: np.ndarray, item_ids: np.ndarray, *, n_users: int, n_items: int) -> Self:
        """Train from new factors.

        user_ids  (n,) int, values in [0, n_users)
        item_ids  (n,) int, values in [0, n_items)
        raises    ValueError if the lengths differ, n is 0 or an id does not fit; TypeError for ids that are not whole
        """
        user_ids, item_ids = pairs_to_fit(user_ids, item_ids, n_users, n_items)
        with threadpool_limits(1, "blas"):  # as the library asks for; it warns otherwise
            model = self._library_model()
            model.fit(to_matrix(user_ids, item_ids, n_users, n_items), show_progress=False)
        self.user_factors_, self.item_factors_ = model.user_factors, model.item_factors
        return self

    def predict(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        """Score pairs: user_ids (n,) int, in [0, n_users); item_ids (n,) int, in [0, n_items); returns (n,) float32."""
        users, items = fitted(self, "user_factors_"), fitted(self, "item_factors_")
        user_ids, item_ids = pairs(user_ids, item_ids, len(users), len(items))
        return np.einsum("nd,nd->n", users[user_ids], items[item_ids])

    def score_users(self, user_ids: np.ndarray) -> np.ndarray:
        """Score all items: user_ids (B,) int, in [0, n_users); returns (B, n_items) float32."""
        users = fitted(self, "user_factors_")
        return users[ids_below(len(users), user_ids, "user")] @ self.item_factors_.T


class ALS(_FactorModel):
    """Weighted matrix factorisation by alternating least squares.

    n_factors       d, at least 1
    regularisation  λ, on the squared norm of every vector alike; not below 0
    alpha           weight of a positive pair beside 1 for any other
    n_iter          rounds of users, then items; at least 1
    rng             draws the first factors
    """

    def __init__(
        self,
        n_factors: int = 64,
        regularisation: float = 20.0,
        alpha: float = 10.0,
        n_iter: int = 15,
        *,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(n_factors, regularisation, n_iter, rng)
        self.alpha = alpha

    def _library_model(self):
        from implicit.cpu.als import AlternatingLeastSquares

        return AlternatingLeastSquares(
            factors=self.n_factors,
            regularization=self.regularisation,
            alpha=self.alpha,
            iterations=self.n_iter,
            num_threads=1,
            random_state=self.rng,
        )


class BPR(_FactorModel):
    """Factors with an item bias such that items that were met come before items that were not.

    The vectors have d = n_factors + 1 places, the last for the bias. The library draws negatives by popularity (the
    items of pairs drawn evenly) where the paper draws them evenly, and skips a step whose negative the user has met.

    n_factors       at least 1
    learning_rate   of the stochastic gradient
    regularisation  of factors and biases; not below 0
    n_iter          epochs, at least 1, with at most as many steps each as there are pairs
    rng             draws the first factors and the samples
    """

    def __init__(
        self,
        n_factors: int = 64,
        learning_rate: float = 0.01,
        regularisation: float = 0.01,
        n_iter: int = 100,
        *,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(n_factors, regularisation, n_iter, rng)
        self.learning_rate = learning_rate

    def _library_model(self):
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        return BayesianPersonalizedRanking(
            factors=self.n_factors,
            learning_rate=self.learning_rate,
            regularization=self.regularisation,
            iterations=self.n_iter,
            num_threads=1,
            random_state=self.rng,
        )
