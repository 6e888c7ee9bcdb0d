"""How far predicted ratings are from the true ones: root mean squared and mean absolute error.

Both are worked out once over all ratings, never as a mean of batch results, and summed in float64 whatever comes in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def rmse(ratings: ArrayLike, scores: ArrayLike) -> float:
    """Root mean squared error, in stars: the square root of the mean of (rating - score) squared.

    ratings  (n,) numbers, the true ratings
    scores   (n,) numbers, the predicted ratings
    returns  a float, 0 at best; NaN if an input holds a NaN
    raises   ValueError if the shapes differ, are not one-dimensional, or n is 0
    """
    return float(np.sqrt(np.mean(np.square(_errors(ratings, scores)))))


def mae(ratings: ArrayLike, scores: ArrayLike) -> float:
    """Mean absolute error, in stars: the mean of |rating - score|.

    ratings  (n,) numbers, the true ratings
    scores   (n,) numbers, the predicted ratings
    returns  a float, 0 at best; NaN if an input holds a NaN
    raises   ValueError if the shapes differ, are not one-dimensional, or n is 0
    """
    return float(np.mean(np.abs(_errors(ratings, scores))))


def _errors(ratings: ArrayLike, scores: ArrayLike) -> np.ndarray:
    ratings = np.asarray(ratings, dtype=np.float64)
    scores = np.asarray(scores, dtype=np.float64)
    # (n,) against (n, 1) would broadcast to (n, n) and give a plausible, wrong number.
    if ratings.ndim != 1 or ratings.shape != scores.shape:
        raise ValueError(f"ratings {ratings.shape} and scores {scores.shape} must both have the shape (n,)")
    if len(ratings) == 0:
        raise ValueError("no ratings: the error of nothing is not defined")
    return ratings - scores
