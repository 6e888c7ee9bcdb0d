"""What Spotlight's models share: settings, order of random draws, Adam, and the loop over epochs and batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.spotlight.layers import ScaledEmbedding, ZeroEmbedding
from course_utils.spotlight.randomness import PrivateTorchState, RandomState, as_random_state
from course_utils.training import batches

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

OptimizerFunc = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


class Model:
    """A model that is made in its first fit, when the numbers of users and items are known.

    A subclass names its losses and answers three questions: _make_net, _columns and _batch_loss.
    """

    _losses: ClassVar[dict[str, Callable[..., Tensor]]]
    _fused_adam = True  # in one pass over the parameters: twice as fast, rounded a little differently
    _closed_form = False
    _reshuffles = False  # whether an epoch's permutation applies to the order of the epoch before, not to the given one

    def __init__(
        self,
        *,
        loss: str,
        embedding_dim: int,
        n_iter: int,
        batch_size: int,
        l2: float,
        learning_rate: float,
        optimizer_func: OptimizerFunc | None,
        use_cuda: bool,
        sparse: bool,
        random_state: RandomState,
    ) -> None:
        if loss not in self._losses:
            raise ValueError(f"unknown loss {loss!r}; there are {', '.join(self._losses)}")
        if sparse and optimizer_func is None:
            raise ValueError("Adam takes no sparse gradients: give an optimizer_func, torch.optim.SparseAdam for one")
        check_setting("embedding_dim", embedding_dim, least=1)
        check_setting("n_iter", n_iter, least=0)
        check_setting("batch_size", batch_size, least=1)
        self._loss = loss
        self._embedding_dim = embedding_dim
        self._n_iter = n_iter
        self._batch_size = batch_size
        self._l2 = l2
        self._learning_rate = learning_rate
        self._optimizer_func = optimizer_func
        self._device = torch.device("cuda" if use_cuda else "cpu")
        self._sparse = sparse
        self._random_state = as_random_state(random_state)
        self._torch_state = PrivateTorchState(self._random_state.randint(-(10**8), 10**8))
        self._net: nn.Module | None = None
        self._optimizer: torch.optim.Optimizer | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {'[uninitialised]' if self._net is None else repr(self._net)}>"

    def _make_net(self, interactions: Any) -> nn.Module:
        """The network for the users and items of the first interactions that are fitted."""
        raise NotImplementedError

    def _columns(self, interactions: Any) -> tuple[Tensor, ...]:
        """What batches are cut from: tensors (n, ...), n > 0. Raises ValueError for data that do not fit the model."""
        raise NotImplementedError

    def _batch_loss(self, *batch: Tensor) -> Tensor:
        """() float, the loss of one batch: a piece of every column."""
        raise NotImplementedError

    def _has_closed_form(self) -> bool:
        """Whether the gradients of the network as it is now are worked out without autograd."""
        return False

    def _fit(self, interactions: Any, verbose: bool) -> None:
        columns = [column.to(self._device) for column in self._columns(interactions)]
        with self._torch_state.active():
            if self._net is None:
                self._initialize(interactions)
            self._net.train()
            self._closed_form = self._has_closed_form()
            order = np.arange(len(columns[0]))
            for epoch in range(self._n_iter):
                if not self._reshuffles:
                    order = np.arange(len(order))
                self._random_state.shuffle(order)
                epoch_loss = self._train_epoch(columns, torch.from_numpy(order).to(self._device))
                if verbose:
                    print(f"Epoch {epoch}: loss {epoch_loss}")
                if np.isnan(epoch_loss) or epoch_loss == 0.0:
                    raise ValueError(f"Degenerate epoch loss: {epoch_loss}")

    def _initialize(self, interactions: Any) -> None:
        self._net = self._make_net(interactions).to(self._device)
        if self._optimizer_func is None:
            self._optimizer = torch.optim.Adam(
                self._net.parameters(), lr=self._learning_rate, weight_decay=self._l2, fused=self._fused_adam
            )
        else:
            self._optimizer = self._optimizer_func(self._net.parameters())

    def _train_epoch(self, columns: list[Tensor], order: Tensor) -> float:
        """One pass in the given order: the plain mean of the losses of its batches."""
        losses = []
        for batch in batches(*(column[order] for column in columns), batch_size=self._batch_size):
            self._optimizer.zero_grad()
            losses.append(self._backward(*batch))
            self._optimizer.step()
        return torch.stack(losses).mean().item()

    def _backward(self, *batch: Tensor) -> Tensor:
        """Add the gradient of a batch's loss to the parameters' .grad; returns the loss, () float, detached."""
        loss = self._batch_loss(*batch)
        loss.backward()
        return loss.detach()

    def _fitted_net(self) -> nn.Module:
        """The network, ready to predict; RuntimeError before the first fit."""
        if self._net is None:
            raise RuntimeError("this model has not been fitted: call fit first")
        return self._net.eval()


def is_plain(net: nn.Module, kind: type[nn.Module], padding_idx: int | None) -> bool:
    """Whether a network is just the one that a model makes for itself: of this very class, its tables ours, dense, all
    of them trained, and nobody's hook on any of it. Then gradients in closed form are autograd's.

    padding_idx  of all its tables
    """
    own_parts = all(type(part) in (kind, ScaledEmbedding, ZeroEmbedding) for part in net.modules())
    if type(net) is not kind or not own_parts:
        return False
    tables = [part for part in net.modules() if isinstance(part, nn.Embedding)]
    dense = all(not t.sparse and t.max_norm is None and not t.scale_grad_by_freq for t in tables)
    trained = all(parameter.requires_grad for parameter in net.parameters())
    hooks = [getattr(part, name) for part in net.modules() for name in _HOOKS]
    hooks += [parameter._backward_hooks for parameter in net.parameters()]
    return dense and trained and all(t.padding_idx == padding_idx for t in tables) and not any(hooks)


def check_setting(name: str, value: int, least: int) -> int:
    """The value itself; ValueError unless it is a whole number of at least `least`."""
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} is {value!r}, expected a whole number of at least {least}")
    return value


def check_ids(name: str, ids: np.ndarray, number: int | None) -> None:
    """Raise ValueError unless all ids are in [0, number). None, the number before the first fit, fits every id."""
    if number is not None and ids.size and (ids.min() < 0 or ids.max() >= number):
        raise ValueError(f"{name} ids from {ids.min()} to {ids.max()} do not fit a model of {number} {name}s")
