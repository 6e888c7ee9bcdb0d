"""Matrix factorization for ratings: Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems"
(Computer 42(8), 2009), equation (4) without the global mean, fitted by minibatches.

Settings, initial values, losses and the order of all random draws are those of Spotlight 0.1.6.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from course_utils.spotlight.factorization.model import FactorizationModel
from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.losses import logistic_loss, poisson_loss, regression_loss
from course_utils.spotlight.model import OptimizerFunc
from course_utils.spotlight.randomness import RandomState


class ExplicitFactorizationModel(FactorizationModel):
    """Spotlight's explicit factorization model.

    loss            "regression" (squared error), "poisson" (predicts rates) or "logistic" (ratings -1 and +1; predicts
                    probabilities)
    embedding_dim   length of the user and item vectors
    n_iter          epochs in one call of fit
    batch_size      rows in a batch; the last of an epoch may be shorter
    l2              weight decay of Adam on all parameters, added to the gradient
    learning_rate   of Adam
    optimizer_func  gets the parameters and returns an optimiser; l2 and learning_rate then count for nothing
    use_cuda        train and predict on the current CUDA device
    representation  an nn.Module that scores (user_ids, item_ids), in place of BilinearNet
    sparse          sparse gradients; needs an optimizer_func that takes them, torch.optim.SparseAdam for one
    random_state    a RandomState, an int or None. Constructing the model draws one number, every epoch one permutation;
                    so a RandomState that is shared with a split or another model goes on from there.
    raises          ValueError for an unknown loss, or sparse without optimizer_func
    """

    _losses: ClassVar = {"regression": regression_loss, "poisson": poisson_loss, "logistic": logistic_loss}

    def __init__(
        self,
        loss: str = "regression",
        embedding_dim: int = 32,
        n_iter: int = 10,
        batch_size: int = 256,
        l2: float = 0.0,
        learning_rate: float = 1e-2,
        optimizer_func: OptimizerFunc | None = None,
        use_cuda: bool = False,
        representation: nn.Module | None = None,
        sparse: bool = False,
        random_state: RandomState = None,
    ) -> None:
        super().__init__(
            loss=loss,
            embedding_dim=embedding_dim,
            n_iter=n_iter,
            batch_size=batch_size,
            l2=l2,
            learning_rate=learning_rate,
            optimizer_func=optimizer_func,
            use_cuda=use_cuda,
            representation=representation,
            sparse=sparse,
            random_state=random_state,
        )

    def fit(self, interactions: Interactions, verbose: bool = False) -> None:
        """Train for n_iter epochs; called again, go on from the present weights and optimiser state.

        interactions  with ratings
        verbose       print the mean loss of every epoch
        raises        ValueError if there is no rating, an id does not fit the model, or the loss of an epoch is NaN or
                      exactly 0
        """
        self._fit(interactions, verbose)

    def _columns(self, interactions: Interactions) -> tuple[Tensor, ...]:
        if interactions.ratings is None or len(interactions) == 0:
            raise ValueError("an explicit model needs interactions with ratings")
        self._check_ids(interactions.user_ids, interactions.item_ids)
        return (
            torch.tensor(interactions.user_ids, dtype=torch.int64),
            torch.tensor(interactions.item_ids, dtype=torch.int64),
            torch.tensor(interactions.ratings, dtype=torch.float32),
        )

    def _pairs(self, user_ids: Tensor, item_ids: Tensor, ratings: Tensor) -> list[tuple[Tensor, Tensor]]:
        return [(user_ids, item_ids)]

    def _loss_of(self, batch: tuple[Tensor, ...], scores: Tensor) -> Tensor:
        ratings = batch[-1]
        return self._losses[self._loss](ratings, torch.exp(scores) if self._loss == "poisson" else scores)

    def _to_prediction(self, out: Tensor) -> Tensor:
        if self._loss == "poisson":
            return torch.exp(out)
        if self._loss == "logistic":
            return torch.sigmoid(out)
        return out
