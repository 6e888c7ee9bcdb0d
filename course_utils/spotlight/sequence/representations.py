"""What a sequence model knows of a user before each of their items: four ways from past items to a state.

Every network here answers two questions, and so must one that is handed to ImplicitSequenceModel in their place:

- `user_representation(item_sequences)` turns windows (B, L) into the states before each of the L items, and the one
  after the last. A state depends on earlier items of its window only; the first is that of an empty history.
- `forward(user_representations, targets)` scores one item for each state.

States are (B, D, L) and (B, D), features before positions, as in Spotlight; the mixture has (B, 2M, D, L) and
(B, 2M, D, 1). Inside they lie as (B, L, D), where the table's rows need no copy. Initial values, and the order in which
they are drawn, are Spotlight's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.spotlight.layers import ScaledEmbedding, ZeroEmbedding

PADDING_IDX = 0


class _ItemTables(nn.Module):
    """One vector and one bias for each item; the vectors are both what the history is made of and what is scored.

    An item_embedding_layer of one's own takes (B, L) int64 and returns (B, L, D), zeros for the padding item.
    """

    def __init__(
        self, num_items: int, embedding_dim: int, item_embedding_layer: nn.Module | None, sparse: bool
    ) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        if item_embedding_layer is None:
            item_embedding_layer = ScaledEmbedding(num_items, embedding_dim, padding_idx=PADDING_IDX, sparse=sparse)
        self.item_embeddings = item_embedding_layer
        self.item_biases = ZeroEmbedding(num_items, 1, padding_idx=PADDING_IDX, sparse=sparse)

    def _table(self) -> tuple[Tensor, Tensor]:
        """All vectors (n_items, D) and biases (n_items,)."""
        item_ids = torch.arange(self.item_biases.num_embeddings, device=self.item_biases.weight.device)
        return self.item_embeddings(item_ids.unsqueeze(0))[0], self.item_biases.weight[:, 0]


class _VectorStates(_ItemTables):
    """Networks whose state is one vector, which scores an item by state · q_i + c_i."""

    def _states(self, vectors: Tensor, item_sequences: Tensor) -> Tensor:
        """States (B, L + 1, D) of windows (B, L) whose items have the vectors (B, L, D)."""
        raise NotImplementedError

    def user_representation(self, item_sequences: Tensor) -> tuple[Tensor, Tensor]:
        """States before every item, and after the last.

        item_sequences  (B, L) int64, 0 is padding
        returns         (B, D, L) float, entry t from the items before position t; (B, D) float, from all items
        """
        states = self._states(self.item_embeddings(item_sequences), item_sequences).transpose(1, 2)
        return states[:, :, :-1], states[:, :, -1]

    def forward(self, user_representations: Tensor, targets: Tensor) -> Tensor:
        """Score one item for each state.

        user_representations  (B, D, L) float, or (B, D) with targets (B, 1)
        targets               (B, L) int64
        returns               (B, L) float; (B,) for states (B, D)
        """
        last_only = user_representations.dim() == 2
        states = user_representations.unsqueeze(1) if last_only else user_representations.transpose(1, 2)
        scores = (states * self.item_embeddings(targets)).sum(-1) + self.item_biases(targets).squeeze(-1)
        return scores.squeeze(1) if last_only else scores

    def score_several(self, user_representations: Tensor, targets: Tensor) -> Tensor:
        """Score n items for each state: forward for targets (n, B, L), without n copies of the states."""
        vectors = _looked_up(self.item_embeddings, targets)
        return (user_representations.transpose(1, 2) * vectors).sum(-1) + self.item_biases(targets).squeeze(-1)

    def score_all_items(self, user_representations: Tensor) -> Tensor:
        """Score the whole catalogue for states (B, D). Returns (B, n_items) float."""
        vectors, biases = self._table()
        return torch.addmm(biases, user_representations, vectors.T)


class PoolNet(_VectorStates):
    """The shrunk mean of the vectors of all items so far: their sum, divided by one more than their number.

    After Covington, Adams and Sargin, "Deep neural networks for YouTube recommendations" (RecSys 2016), section 3.2.

    num_items             ids run from 0, the padding, to num_items - 1
    embedding_dim         D
    item_embedding_layer  replaces the table of item vectors
    sparse                sparse gradients for the tables; needs an optimiser that takes them
    """

    def __init__(
        self,
        num_items: int,
        embedding_dim: int = 32,
        item_embedding_layer: nn.Module | None = None,
        sparse: bool = False,
    ) -> None:
        super().__init__(num_items, embedding_dim, item_embedding_layer, sparse)

    def _states(self, vectors: Tensor, item_sequences: Tensor) -> Tensor:
        return _shifted(vectors).cumsum(1) / _divisors(item_sequences)

    @torch.no_grad()
    def scores_and_gradients(
        self, item_sequences: Tensor, negatives: Tensor
    ) -> tuple[Tensor, Tensor, Callable[[Tensor, Tensor], None]]:
        """Score the items of windows and sampled others without autograd, and give what replaces it: a function that
        takes the derivatives of the loss by both kinds of score, and by the chain rule adds to the .grad of both
        tables. For the net's own dense tables.

        item_sequences  (B, L) int64
        negatives       (n, B, L) int64
        returns         scores (B, L) and (n, B, L) float32, as from forward; the function
        """
        q, c = self.item_embeddings.weight, self.item_biases.weight
        positive_rows, negative_rows = F.embedding(item_sequences, q), F.embedding(negatives, q)
        divisors = _divisors(item_sequences)[:, :-1]
        states = _shifted(positive_rows[:, :-1]).cumsum(1) / divisors  # (B, L, D)
        positive = (states * positive_rows).sum(-1) + F.embedding(item_sequences, c).squeeze(-1)
        negative = (states * negative_rows).sum(-1) + F.embedding(negatives, c).squeeze(-1)

        @torch.no_grad()
        def add_gradients(by_positive: Tensor, by_negative: Tensor) -> None:
            by_positive, by_negative = by_positive.unsqueeze(-1), by_negative.unsqueeze(-1)
            by_sum = ((by_negative * negative_rows).sum(0) + by_positive * positive_rows) / divisors
            # An item's vector is in the sums of all later positions; from the last to the first, these are a cumsum.
            by_earlier = by_sum[:, 1:].flip(1).cumsum(1)
            for table, ids, rows in (
                (q, negatives, by_negative * states),
                (q, item_sequences, by_positive * states),
                (q, item_sequences[:, :-1].flip(1), by_earlier),
                (c, negatives, by_negative),
                (c, item_sequences, by_positive),
            ):
                _add_to_grad(table, ids, rows)

        return positive, negative, add_gradients


class LSTMNet(_VectorStates):
    """The output of one LSTM layer that has read all items so far, padding included.

    After Hidasi, Karatzoglou, Baltrunas and Tikk, "Session-based recommendations with recurrent neural networks"
    (ICLR 2016), who use a GRU. Arguments as in PoolNet; D is also the number of hidden units.
    """

    def __init__(
        self,
        num_items: int,
        embedding_dim: int = 32,
        item_embedding_layer: nn.Module | None = None,
        sparse: bool = False,
    ) -> None:
        super().__init__(num_items, embedding_dim, item_embedding_layer, sparse)
        self.lstm = nn.LSTM(embedding_dim, embedding_dim, batch_first=True)

    def _states(self, vectors: Tensor, item_sequences: Tensor) -> Tensor:
        return self.lstm(_shifted(vectors))[0]


class CNNNet(_VectorStates):
    """Stacked causal convolutions: each layer sees the position itself and those before it, the first one only those
    before it.

    After van den Oord et al., "WaveNet: a generative model for raw audio" (2016), section 2.1, and Kalchbrenner et al.,
    "Neural machine translation in linear time" (2016).

    num_items, embedding_dim, sparse, item_embedding_layer   as in PoolNet; D is also the number of filters of a layer
    kernel_width          positions that a filter looks at: one number for all layers, or one for each
    dilation              how far these are apart; likewise
    num_layers            how many times a number given alone is used
    nonlinearity          "tanh" or "relu", after every layer
    residual_connections  add a layer's input to its output; for the first layer, the vector of the item before
    benchmark             has no effect; Spotlight sets a global switch of cuDNN by it
    raises                ValueError for another nonlinearity, or numbers of layers that differ
    """

    def __init__(
        self,
        num_items: int,
        embedding_dim: int = 32,
        kernel_width: int | Iterable[int] = 3,
        dilation: int | Iterable[int] = 1,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        residual_connections: bool = True,
        sparse: bool = False,
        benchmark: bool = True,
        item_embedding_layer: nn.Module | None = None,
    ) -> None:
        super().__init__(num_items, embedding_dim, item_embedding_layer, sparse)
        self.kernel_width = _for_each_layer(kernel_width, num_layers)
        self.dilation = _for_each_layer(dilation, num_layers)
        if len(self.kernel_width) != len(self.dilation) or not self.kernel_width:
            raise ValueError(
                f"kernel_width {self.kernel_width} and dilation {self.dilation} are not one for each layer"
            )
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity is 'tanh' or 'relu', got {nonlinearity!r}")
        self.nonlinearity = torch.tanh if nonlinearity == "tanh" else torch.relu
        self.residual_connections = residual_connections
        self.cnn_layers = nn.ModuleList(
            nn.Conv1d(embedding_dim, embedding_dim, width, dilation=step)
            for width, step in zip(self.kernel_width, self.dilation, strict=True)
        )

    def _states(self, vectors: Tensor, item_sequences: Tensor) -> Tensor:
        # (B, D, L + 1): the convolutions want positions last. Entry t is the vector of the item before position t.
        states = _shifted(vectors).transpose(1, 2)
        for layer in self.cnn_layers:
            field = layer.dilation[0] * (layer.kernel_size[0] - 1)  # positions before its own that a filter reaches
            out = self.nonlinearity(layer(F.pad(states, (field, 0))))
            states = out + states if self.residual_connections else out
        return states.transpose(1, 2)


class MixtureLSTMNet(_ItemTables):
    """Several tastes of one user, of which each item picks those that suit it (Kula, "Mixture-of-tastes models for
    representing users with diverse interests", 2017, arXiv:1711.08379).

    A linear map of an LSTM's output gives M taste vectors t_m and M attention vectors a_m. Item i is scored by
    Σ_m w_m (t_m · q_i) + c_i, with w the softmax over m of a_m · q_i.

    num_mixtures  M; the other arguments as in LSTMNet
    """

    def __init__(
        self,
        num_items: int,
        embedding_dim: int = 32,
        num_mixtures: int = 4,
        item_embedding_layer: nn.Module | None = None,
        sparse: bool = False,
    ) -> None:
        super().__init__(num_items, embedding_dim, item_embedding_layer, sparse)
        self.num_mixtures = num_mixtures
        self.lstm = nn.LSTM(embedding_dim, embedding_dim, batch_first=True)
        self.projection = nn.Linear(embedding_dim, embedding_dim * num_mixtures * 2)

    def user_representation(self, item_sequences: Tensor) -> tuple[Tensor, Tensor]:
        """States before every item, and after the last: tastes first, then attention vectors.

        item_sequences  (B, L) int64, 0 is padding
        returns         (B, 2M, D, L) float, entry t from the items before position t; (B, 2M, D, 1), from all items
        """
        hidden = self.lstm(_shifted(self.item_embeddings(item_sequences)))[0]
        states = self.projection(hidden).unflatten(-1, (2 * self.num_mixtures, self.embedding_dim))
        states = states.permute(0, 2, 3, 1)  # (B, 2M, D, L + 1)
        return states[..., :-1], states[..., -1:]

    def forward(self, user_representations: Tensor, targets: Tensor) -> Tensor:
        """Score one item for each state.

        user_representations  (B, 2M, D, L) float
        targets               (B, L) int64
        returns               (B, L) float
        """
        return self.score_several(user_representations, targets.unsqueeze(0))[0]

    def score_several(self, user_representations: Tensor, targets: Tensor) -> Tensor:
        """Score n items for each state: forward for targets (n, B, L), without n copies of the states."""
        states = user_representations.permute(0, 3, 1, 2)  # (B, L, 2M, D)
        vectors = _looked_up(self.item_embeddings, targets).permute(1, 2, 3, 0)  # (B, L, D, n)
        scores = _mixed(*(states @ vectors).chunk(2, dim=2), dim=2)  # (B, L, n)
        return scores.permute(2, 0, 1) + self.item_biases(targets).squeeze(-1)

    def score_all_items(self, user_representations: Tensor) -> Tensor:
        """Score the whole catalogue for states (B, 2M, D, 1). Returns (B, n_items) float."""
        vectors, biases = self._table()
        products = user_representations.squeeze(3) @ vectors.T  # (B, 2M, n_items)
        return _mixed(*products.chunk(2, dim=1), dim=1) + biases


def _mixed(tastes: Tensor, attention: Tensor, dim: int) -> Tensor:
    """The tastes' scores, averaged over the mixture with softmax weights."""
    return (tastes * attention.softmax(dim)).sum(dim)


def _looked_up(embedding_layer: nn.Module, targets: Tensor) -> Tensor:
    """Vectors (n, B, L, D) of targets (n, B, L), from a layer that takes two dimensions."""
    return embedding_layer(targets.flatten(0, 1)).unflatten(0, targets.shape[:2])


def _divisors(item_sequences: Tensor) -> Tensor:
    """(B, L + 1, 1): one more than the number of items before each position, padding not counted."""
    return (F.pad(item_sequences != PADDING_IDX, (1, 0)).cumsum(1) + 1).unsqueeze(-1)


def _add_to_grad(table: nn.Parameter, ids: Tensor, rows: Tensor) -> None:
    # Summed up before it is added: gradients of an item as a positive and as a negative that are equal and opposite
    # must cancel out exactly, for Adam makes full steps of a difference in rounding.
    gradient = torch.zeros_like(table).index_add_(0, ids.flatten(), rows.flatten(0, -2))
    gradient[PADDING_IDX] = 0
    table.grad = gradient if table.grad is None else table.grad.add_(gradient)


def _shifted(vectors: Tensor) -> Tensor:
    """(B, L, D) to (B, L + 1, D): entry t is what stood before position t, zeros at first."""
    return F.pad(vectors, (0, 0, 1, 0))


def _for_each_layer(value: int | Iterable[int], num_layers: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Iterable) else (value,) * num_layers
