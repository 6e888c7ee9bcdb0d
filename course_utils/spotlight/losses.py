"""Losses for explicit ratings, each a mean over the batch."""

import torch
from torch import Tensor
from torch.nn import functional as F


def regression_loss(observed_ratings: Tensor, predicted_ratings: Tensor) -> Tensor:
    """Mean of (rating - score)².

    observed_ratings   (B,) float, in stars
    predicted_ratings  (B,) float, in stars
    returns            () float
    """
    return ((observed_ratings - predicted_ratings) ** 2).mean()


def poisson_loss(observed_ratings: Tensor, predicted_ratings: Tensor) -> Tensor:
    """Negative log-likelihood of counts under Poisson rates, without the term that only holds the counts.

    observed_ratings   (B,) float, counts or stars
    predicted_ratings  (B,) float, rates: more than 0, already exponentiated
    returns            () float, the mean of rate - count * log(rate)
    """
    return (predicted_ratings - observed_ratings * torch.log(predicted_ratings)).mean()


def logistic_loss(observed_ratings: Tensor, predicted_ratings: Tensor) -> Tensor:
    """Binary cross-entropy of logits.

    observed_ratings   (B,) float, -1 or +1 (0 counts as -1; anything above 1, as 1)
    predicted_ratings  (B,) float, logits
    returns            () float
    """
    return F.binary_cross_entropy_with_logits(predicted_ratings, observed_ratings.clamp(0, 1))
