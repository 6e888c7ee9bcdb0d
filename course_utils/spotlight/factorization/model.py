"""What the two factorization models share: the network, and predicting with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.spotlight.factorization.representations import BilinearNet
from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.model import Model, check_ids, is_plain
from course_utils.training import batches
from course_utils.whole_numbers import whole_numbers

_PREDICT_ROWS = 2**16  # keeps the memory of a prediction for millions of pairs small


class FactorizationModel(Model):
    """A model of pairs of a user and an item. Its settings are described where the subclasses list them.

    A subclass says which pairs a batch needs scored, _pairs, and what the loss of their scores is, _loss_of.
    """

    def __init__(self, *, representation: nn.Module | None, **settings: Any) -> None:
        super().__init__(**settings)
        self._representation = representation
        self._num_users: int | None = None
        self._num_items: int | None = None

    def _pairs(self, *batch: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What to score for this batch: one or more of (user_ids, item_ids), each (n_pairs,) int64."""
        raise NotImplementedError

    def _loss_of(self, batch: tuple[Tensor, ...], *scores: Tensor) -> Tensor:
        """() float, the loss of the batch, given the (n_pairs,) scores of each of its _pairs."""
        raise NotImplementedError

    def _batch_loss(self, *batch: Tensor) -> Tensor:
        return self._loss_of(batch, *(self._net(*pairs) for pairs in self._pairs(*batch)))

    def _has_closed_form(self) -> bool:
        return is_plain(self._net, BilinearNet, padding_idx=None)

    def _backward(self, *batch: Tensor) -> Tensor:
        if not self._closed_form:
            return super()._backward(*batch)
        # Faster than autograd through the net: autograd only goes back to the scores.
        scored = [self._net.scores_and_gradients(*pairs) for pairs in self._pairs(*batch)]
        loss = self._loss_of(batch, *(scores.requires_grad_() for scores, _ in scored))
        loss.backward()
        for scores, add_gradients in scored:
            add_gradients(scores.grad)
        return loss.detach()

    def predict(self, user_ids: int | np.ndarray, item_ids: np.ndarray | None = None) -> np.ndarray:
        """Score pairs, or one user's items.

        user_ids  an int, or n int in any shape, values in [0, num_users)
        item_ids  n int in any shape, values in [0, num_items); None for all items, with a single user only
        returns   (n,) float32: scores, or rates or probabilities with the losses that say so
        raises    RuntimeError before the first fit; ValueError if the numbers of ids differ or an id does not fit;
                  TypeError for ids that are not whole numbers
        """
        net = self._fitted_net()
        user_ids = whole_numbers(user_ids, "user_ids").ravel()
        item_ids = np.arange(self._num_items) if item_ids is None else whole_numbers(item_ids, "item_ids").ravel()
        if len(user_ids) not in (1, len(item_ids)):
            raise ValueError(f"{len(user_ids)} user ids do not pair up with {len(item_ids)} item ids")
        self._check_ids(user_ids, item_ids)
        users = torch.tensor(user_ids, dtype=torch.int64, device=self._device).expand(len(item_ids))
        items = torch.tensor(item_ids, dtype=torch.int64, device=self._device)
        with torch.no_grad():
            scores = [self._to_prediction(net(*pairs)) for pairs in batches(users, items, batch_size=_PREDICT_ROWS)]
        return torch.cat(scores).cpu().numpy() if scores else np.empty(0, dtype=np.float32)

    def score_users(self, user_ids: np.ndarray) -> np.ndarray:
        """Every item for each of these users: row by row what predict(user_id) gives.

        user_ids  (B,) int, values in [0, num_users)
        returns   (B, num_items) float32
        raises    RuntimeError before the first fit; ValueError if the shape is another or an id does not fit; TypeError
                  for ids that are not whole numbers
        """
        net = self._fitted_net()
        user_ids = whole_numbers(user_ids, "user_ids")
        if user_ids.ndim != 1:
            raise ValueError(f"user_ids has the shape {user_ids.shape}, expected (B,)")
        self._check_ids(user_ids, np.arange(0))
        if type(net) is not BilinearNet:  # a subclass may score otherwise
            rows = [self.predict(user_id) for user_id in user_ids]
            return np.stack(rows) if rows else np.empty((0, self._num_items), dtype=np.float32)
        users = torch.tensor(user_ids, dtype=torch.int64, device=self._device)
        with torch.no_grad():
            return self._to_prediction(net.score_all_items(users)).cpu().numpy()

    def _to_prediction(self, out: Tensor) -> Tensor:
        """What predict gives for the network's output."""
        return out

    def _make_net(self, interactions: Interactions) -> nn.Module:
        self._num_users, self._num_items = interactions.num_users, interactions.num_items
        if self._representation is not None:
            return self._representation
        return BilinearNet(self._num_users, self._num_items, self._embedding_dim, sparse=self._sparse)

    def _check_ids(self, user_ids: np.ndarray, item_ids: np.ndarray) -> None:
        check_ids("user", user_ids, self._num_users)
        check_ids("item", item_ids, self._num_items)
