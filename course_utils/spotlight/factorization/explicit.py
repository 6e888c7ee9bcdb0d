"""Matrix factorization for ratings: Koren, Bell and Volinsky, "Matrix factorization techniques for recommender systems"
(Computer 42(8), 2009), equation (4) without the global mean, fitted by minibatches.

Settings, initial values, losses and the order of all random draws are those of Spotlight 0.1.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.spotlight.factorization.representations import BilinearNet
from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.losses import logistic_loss, poisson_loss, regression_loss
from course_utils.spotlight.randomness import PrivateTorchState, RandomState, as_random_state
from course_utils.training import batches

# For each loss: the function, and what turns the network's output into what is compared and into what is predicted.
_LOSSES: dict[str, tuple[Callable, Callable, Callable]] = {
    "regression": (regression_loss, lambda out: out, lambda out: out),
    "poisson": (poisson_loss, torch.exp, torch.exp),
    "logistic": (logistic_loss, lambda out: out, torch.sigmoid),
}
_PREDICT_ROWS = 2**16  # keeps the memory of a prediction for millions of pairs small


class ExplicitFactorizationModel:
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

    def __init__(
        self,
        loss: str = "regression",
        embedding_dim: int = 32,
        n_iter: int = 10,
        batch_size: int = 256,
        l2: float = 0.0,
        learning_rate: float = 1e-2,
        optimizer_func: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] | None = None,
        use_cuda: bool = False,
        representation: nn.Module | None = None,
        sparse: bool = False,
        random_state: RandomState = None,
    ) -> None:
        if loss not in _LOSSES:
            raise ValueError(f"unknown loss {loss!r}; there are {', '.join(_LOSSES)}")
        if sparse and optimizer_func is None:
            raise ValueError("Adam takes no sparse gradients: give an optimizer_func, torch.optim.SparseAdam for one")
        self._loss = loss
        self._embedding_dim = embedding_dim
        self._n_iter = n_iter
        self._batch_size = batch_size
        self._l2 = l2
        self._learning_rate = learning_rate
        self._optimizer_func = optimizer_func
        self._device = torch.device("cuda" if use_cuda else "cpu")
        self._representation = representation
        self._sparse = sparse
        self._random_state = as_random_state(random_state)
        self._torch_state = PrivateTorchState(self._random_state.randint(-(10**8), 10**8))

        self._num_users: int | None = None
        self._num_items: int | None = None
        self._net: nn.Module | None = None
        self._optimizer: torch.optim.Optimizer | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {'[uninitialised]' if self._net is None else self._net!r}>"

    def fit(self, interactions: Interactions, verbose: bool = False) -> None:
        """Train for n_iter epochs; called again, go on from the present weights and optimiser state.

        interactions  with ratings
        verbose       print the mean loss of every epoch
        raises        ValueError if there is no rating, an id does not fit the model, or the loss of an epoch is NaN or
                      exactly 0
        """
        if interactions.ratings is None or len(interactions) == 0:
            raise ValueError("an explicit model needs interactions with ratings")
        with self._torch_state.active():
            if self._net is None:
                self._initialize(interactions.num_users, interactions.num_items)
            self._check_ids(interactions.user_ids, interactions.item_ids)
            columns = (
                torch.tensor(interactions.user_ids, dtype=torch.int64, device=self._device),
                torch.tensor(interactions.item_ids, dtype=torch.int64, device=self._device),
                torch.tensor(interactions.ratings, dtype=torch.float32, device=self._device),
            )
            self._net.train()
            for epoch in range(self._n_iter):
                epoch_loss = self._train_epoch(*columns)
                if verbose:
                    print(f"Epoch {epoch}: loss {epoch_loss}")
                if np.isnan(epoch_loss) or epoch_loss == 0.0:
                    raise ValueError(f"Degenerate epoch loss: {epoch_loss}")

    def predict(self, user_ids: int | np.ndarray, item_ids: np.ndarray | None = None) -> np.ndarray:
        """Score pairs, or one user's items.

        user_ids  an int, or (n,) int, values in [0, num_users)
        item_ids  (n,) int, values in [0, num_items); None for all items, with a single user only
        returns   (n,) float32: scores, or rates or probabilities with the losses that say so
        raises    RuntimeError before the first fit; ValueError if the lengths differ or an id does not fit
        """
        if self._net is None:
            raise RuntimeError("this model has not been fitted: call fit first")
        user_ids = np.atleast_1d(user_ids)
        item_ids = np.arange(self._num_items) if item_ids is None else np.atleast_1d(item_ids)
        if len(user_ids) not in (1, len(item_ids)):
            raise ValueError(f"{len(user_ids)} user ids do not pair up with {len(item_ids)} item ids")
        self._check_ids(user_ids, item_ids)
        users = torch.tensor(user_ids, dtype=torch.int64, device=self._device).expand(len(item_ids))
        items = torch.tensor(item_ids, dtype=torch.int64, device=self._device)
        to_prediction = _LOSSES[self._loss][2]
        self._net.eval()
        with torch.no_grad():
            scores = [to_prediction(self._net(*pairs)) for pairs in batches(users, items, batch_size=_PREDICT_ROWS)]
        return torch.cat(scores).cpu().numpy() if scores else np.empty(0, dtype=np.float32)

    def _initialize(self, num_users: int, num_items: int) -> None:
        self._num_users, self._num_items = num_users, num_items
        net = self._representation
        if net is None:
            net = BilinearNet(num_users, num_items, self._embedding_dim, sparse=self._sparse)
        self._net = net.to(self._device)
        if self._optimizer_func is None:
            self._optimizer = torch.optim.Adam(
                self._net.parameters(), lr=self._learning_rate, weight_decay=self._l2, fused=True
            )
        else:
            self._optimizer = self._optimizer_func(self._net.parameters())

    def _train_epoch(self, user_ids: Tensor, item_ids: Tensor, ratings: Tensor) -> float:
        """One pass in a new random order: the plain mean of the losses of its batches."""
        order = np.arange(len(ratings))
        self._random_state.shuffle(order)
        order = torch.from_numpy(order).to(self._device)
        loss_function, to_target, _ = _LOSSES[self._loss]
        losses = []
        for users, items, targets in batches(
            user_ids[order], item_ids[order], ratings[order], batch_size=self._batch_size
        ):
            loss = loss_function(targets, to_target(self._net(users, items)))
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).mean().item()

    def _check_ids(self, user_ids: np.ndarray, item_ids: np.ndarray) -> None:
        for name, ids, number in (("user", user_ids, self._num_users), ("item", item_ids, self._num_items)):
            if len(ids) and (ids.min() < 0 or ids.max() >= number):
                raise ValueError(f"{name} ids from {ids.min()} to {ids.max()} do not fit a model of {number} {name}s")
