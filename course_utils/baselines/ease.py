"""EASE: every item as a weighted sum of the other items that a person met, the weights by one matrix inverse.

Steck, "Embarrassingly shallow autoencoders for sparse data" (WWW 2019), equations (4) to (8): of all matrices B with
zeros on the diagonal, the one with the least ‖X - XB‖² + λ‖B‖² has

    P = (XᵀX + λI)⁻¹,   B_ij = -P_ij / P_jj for i ≠ j,   scores = XB,

with X the matrix of who met what. There is nothing to train and nothing random.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy import linalg

from course_utils.baselines.pairs import (
    fitted,
    ids_below,
    pairs,
    pairs_to_fit,
    scores_of_pairs,
    sequences_of,
    to_matrix,
)


class EASE:
    """The closed form, solved in float64 by Cholesky, kept in float32.

    Memory is 20 · n_items² bytes while fitting and 4 · n_items² after: 0.3 GB for the 3,706 items of ML-1M, 70 GB for
    the 59,047 of ML-25M. Time grows as n_items³ or, where there are fewer users than items, as n_users · n_items².

    regularisation  λ, more than 0; the more users, the larger it should be
    max_gb          refuse to fit where that takes more memory than this
    weights_        (n_items, n_items) float32, B, after fit
    """

    def __init__(self, regularisation: float = 400.0, max_gb: float = 8.0) -> None:
        if not regularisation > 0:
            raise ValueError(f"regularisation must be more than 0, got {regularisation}")
        self.regularisation = regularisation
        self.max_gb = max_gb

    def fit(self, user_ids: np.ndarray, item_ids: np.ndarray, *, n_users: int, n_items: int) -> Self:
        """Solve.

        user_ids  (n,) int, values in [0, n_users)
        item_ids  (n,) int, values in [0, n_items)
        raises    ValueError if the lengths differ, n is 0 or an id does not fit; TypeError for ids that are not whole;
                  MemoryError if it takes over max_gb
        """
        user_ids, item_ids = pairs_to_fit(user_ids, item_ids, n_users, n_items)
        gigabytes = 20 * n_items**2 / 1e9
        if gigabytes > self.max_gb:
            raise MemoryError(
                f"EASE needs {gigabytes:.1f} GB for {n_items} items, more than max_gb={self.max_gb}: "
                "keep fewer items, those met most often, or raise max_gb"
            )
        self._seen = to_matrix(user_ids, item_ids, n_users, n_items)
        inverse = self._inverse(self._seen.astype(np.float64))
        inverse /= -inverse.diagonal()
        self.weights_ = inverse.astype(np.float32)
        np.fill_diagonal(self.weights_, 0)
        return self

    def _inverse(self, seen) -> np.ndarray:
        """P (n_items, n_items) float64, from seen (n_users, n_items), sparse float64."""
        n_users, n_items = seen.shape
        if n_users < n_items:  # Woodbury's identity: P = (I - Xᵀ(XXᵀ + λI)⁻¹X) / λ
            gram = (seen @ seen.T).toarray() + self.regularisation * np.eye(n_users)
            half = linalg.solve_triangular(linalg.cholesky(gram, lower=True), seen.toarray(), lower=True)
            inverse = half.T @ half
            inverse /= -self.regularisation
            inverse[np.diag_indices(n_items)] += 1 / self.regularisation
            return inverse
        gram = (seen.T @ seen).toarray()
        gram[np.diag_indices(n_items)] += self.regularisation
        inverse, _ = linalg.lapack.dpotri(linalg.cholesky(gram, lower=True, overwrite_a=True), lower=1, overwrite_c=1)
        inverse += np.tril(inverse, -1).T  # potri fills one triangle and leaves 0 in the other
        return inverse

    def predict(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        """Score pairs: user_ids (n,) int, in [0, n_users); item_ids (n,) int, in [0, n_items); returns (n,) float32."""
        return scores_of_pairs(self.score_users, *pairs(user_ids, item_ids, *fitted(self, "_seen").shape))

    def score_users(self, user_ids: np.ndarray) -> np.ndarray:
        """Score all items: user_ids (B,) int, in [0, n_users); returns (B, n_items) float32.

        A user without training items gets 0 everywhere.
        """
        seen = fitted(self, "_seen")
        return seen[ids_below(seen.shape[0], user_ids, "user")] @ self.weights_

    def score_sequences(self, sequences: np.ndarray) -> np.ndarray:
        """Score all items as what else belongs to each window.

        sequences  (B, L) int, values in [1, n_items), 0 where padded
        returns    (B, n_items) float32; the padding's score is 0
        """
        weights = fitted(self, "weights_")
        sequences = sequences_of(len(weights), sequences)
        windows, places = np.nonzero(sequences)
        return to_matrix(windows, sequences[windows, places], len(sequences), len(weights)) @ weights
