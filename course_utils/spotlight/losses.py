"""Spotlight's losses: three for explicit ratings, four for implicit feedback. Each is a mean over the batch, or over
those of its entries that a mask keeps.

pointwise_loss and bpr_loss are not logarithms of probabilities, unlike the losses of those names elsewhere (Rendle et
al., "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009, maximises ln σ(p - n)). They are bounded, so
an example that is hopelessly wrong gets nearly no gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def regression_loss(observed_ratings: Tensor, predicted_ratings: Tensor) -> Tensor:
    """Mean of (rating - score)².

    observed_ratings   (B,) float, in stars
    predicted_ratings  (B,) float, in stars
    returns            () float
    """
    return F.mse_loss(predicted_ratings, observed_ratings)


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


def pointwise_loss(positive_predictions: Tensor, negative_predictions: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean of (1 - σ(positive)) + σ(negative): how far each score is, by itself, from its label.

    positive_predictions  (...) float, scores of items that the users met
    negative_predictions  (...) float, scores of sampled items
    mask                  (...) bool or number, 0 where an entry is left out of the mean; None keeps all
    returns               () float; NaN if the mask keeps nothing
    """
    return _mean(1 - torch.sigmoid(positive_predictions) + torch.sigmoid(negative_predictions), mask)


def bpr_loss(positive_predictions: Tensor, negative_predictions: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean of 1 - σ(positive - negative). Arguments as in pointwise_loss."""
    return _mean(1 - torch.sigmoid(positive_predictions - negative_predictions), mask)


def hinge_loss(positive_predictions: Tensor, negative_predictions: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean of max(0, 1 - (positive - negative)). Arguments as in pointwise_loss."""
    return _mean((negative_predictions - positive_predictions + 1).clamp(min=0), mask)


def adaptive_hinge_loss(
    positive_predictions: Tensor, negative_predictions: Tensor, mask: Tensor | None = None
) -> Tensor:
    """hinge_loss against the highest of several negatives; after Weston, Bengio and Usunier, "WSABIE: scaling up to
    large vocabulary image annotation" (IJCAI 2011).

    positive_predictions  (...) float
    negative_predictions  (n_negatives, ...) float
    mask                  (...), as in pointwise_loss
    """
    # max, not amax: of equal scores one gets the gradient, as in the original; amax would share it out.
    return hinge_loss(positive_predictions, negative_predictions.max(dim=0).values, mask)


def _mean(losses: Tensor, mask: Tensor | None) -> Tensor:
    return losses.mean() if mask is None else (losses * mask).sum() / mask.sum()
