"""Matrix factorization for implicit feedback, fitted against sampled items: each row of the data is an item that its
user met, and is compared with items drawn at random for the same user.

Settings, initial values, losses and the order of all random draws are those of Spotlight 0.1.6.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from course_utils.spotlight.factorization.model import FactorizationModel
from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.losses import adaptive_hinge_loss, bpr_loss, hinge_loss, pointwise_loss
from course_utils.spotlight.model import OptimizerFunc, check_setting
from course_utils.spotlight.randomness import RandomState
from course_utils.spotlight.sampling import sample_items


class ImplicitFactorizationModel(FactorizationModel):
    """Spotlight's implicit factorization model. Ratings, if there are any, count for nothing.

    The sampled items are drawn from all items alike, those that the user met included.

    With "adaptive_hinge" num_negative_samples items are drawn for each row, and the loss is meant to take the one with
    the highest score. The original mixes up the users here, and so does this model, to give the same numbers: the
    scores of a batch of B rows lie user by user (row 0's items, row 1's, ...) but are read as if sample j of all rows
    came before sample j + 1. So row b's positive is compared with the highest of the scores at positions b, B + b,
    2B + b, ..., which belong to other users (position p to row p // num_negative_samples).

    loss                  "pointwise", "bpr", "hinge" or "adaptive_hinge", see course_utils.spotlight.losses
    embedding_dim         length of the user and item vectors
    n_iter                epochs in one call of fit
    batch_size            rows in a batch; the last of an epoch may be shorter
    l2                    weight decay of Adam on all parameters, added to the gradient
    learning_rate         of Adam
    optimizer_func        gets the parameters and returns an optimiser; l2 and learning_rate then count for nothing
    use_cuda              train and predict on the current CUDA device
    representation        an nn.Module that scores (user_ids, item_ids), in place of BilinearNet
    sparse                sparse gradients; needs an optimizer_func that takes them, torch.optim.SparseAdam for one
    random_state          a RandomState, an int or None. Constructing the model draws one number, every epoch one
                          permutation, and every batch its sampled items.
    num_negative_samples  sampled items for each row, with "adaptive_hinge"; one with the other losses
    raises                ValueError for an unknown loss, or sparse without optimizer_func
    """

    _losses: ClassVar = {
        "pointwise": pointwise_loss,
        "bpr": bpr_loss,
        "hinge": hinge_loss,
        "adaptive_hinge": adaptive_hinge_loss,
    }

    def __init__(
        self,
        loss: str = "pointwise",
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
        num_negative_samples: int = 5,
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
        # Fused Adam rounds differently, and where the highest of several scores counts, that may choose another one.
        self._fused_adam = loss != "adaptive_hinge"
        self._num_negative_samples = (
            check_setting("num_negative_samples", num_negative_samples, least=1) if loss == "adaptive_hinge" else 1
        )

    def fit(self, interactions: Interactions, verbose: bool = False) -> None:
        """Train for n_iter epochs; called again, go on from the present weights and optimiser state.

        verbose  print the mean loss of every epoch
        raises   ValueError if there is no row, an id does not fit the model, or the loss of an epoch is NaN or
                 exactly 0
        """
        self._fit(interactions, verbose)

    def _columns(self, interactions: Interactions) -> tuple[Tensor, ...]:
        if len(interactions) == 0:
            raise ValueError("there are no interactions to fit")
        self._check_ids(interactions.user_ids, interactions.item_ids)
        return (
            torch.tensor(interactions.user_ids, dtype=torch.int64),
            torch.tensor(interactions.item_ids, dtype=torch.int64),
        )

    def _pairs(self, user_ids: Tensor, item_ids: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The batch's own pairs, and the sampled ones user by user."""
        n_sampled = len(user_ids) * self._num_negative_samples
        sampled = torch.from_numpy(sample_items(self._num_items, n_sampled, self._random_state)).to(self._device)
        return [(user_ids, item_ids), (user_ids.repeat_interleave(self._num_negative_samples), sampled)]

    def _loss_of(self, batch: tuple[Tensor, ...], positive: Tensor, negative: Tensor) -> Tensor:
        if self._loss == "adaptive_hinge":
            # As the original reads the scores; the right shape would be (B, num_negative_samples), transposed.
            negative = negative.view(self._num_negative_samples, len(positive))
        return self._losses[self._loss](positive, negative)
