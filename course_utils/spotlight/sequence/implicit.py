"""The next item, given the items before it: a state of the window so far, scored against the item that came and a
sampled one.

Settings, initial values, losses and the order of all random draws are those of Spotlight 0.1.6.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.spotlight.interactions import SequenceInteractions
from course_utils.spotlight.losses import adaptive_hinge_loss, bpr_loss, hinge_loss, pointwise_loss
from course_utils.spotlight.model import Model, OptimizerFunc, check_ids, check_setting, is_plain
from course_utils.spotlight.randomness import RandomState
from course_utils.spotlight.sampling import sample_items
from course_utils.spotlight.sequence.representations import PADDING_IDX, CNNNet, LSTMNet, MixtureLSTMNet, PoolNet

_NETS = {"pooling": PoolNet, "cnn": CNNNet, "lstm": LSTMNet, "mixture": MixtureLSTMNet}
_SCORES_AT_ONCE = 2**20  # keeps the memory of scoring many windows small


class ImplicitSequenceModel(Model):
    """Spotlight's implicit sequence model.

    Every item of a window that is not padding is an example, the first one (nothing before it) included.

    loss                  "pointwise", "bpr", "hinge", or "adaptive_hinge" (against the best of several negatives)
    representation        "pooling", "cnn", "lstm" or "mixture", or a network with the two methods that
                          course_utils.spotlight.sequence.representations describes
    embedding_dim         length of the item vectors; counts for nothing where representation is a network
    n_iter                epochs in one call of fit
    batch_size            windows in a batch; the last of an epoch may be shorter
    l2                    weight decay of Adam on all parameters, added to the gradient
    learning_rate         of Adam
    optimizer_func        gets the parameters and returns an optimiser; l2 and learning_rate then count for nothing
    use_cuda              train and predict on the current CUDA device
    sparse                sparse gradients; needs an optimizer_func that takes them
    random_state          a RandomState, an int or None. Constructing the model draws one number, every epoch one
                          permutation and the negatives; so a RandomState that is shared with a split goes on from there
    num_negative_samples  negatives for each item with adaptive_hinge; all other losses take one
    raises                ValueError for an unknown loss or representation, or sparse without optimizer_func
    """

    _losses: ClassVar = {
        "pointwise": pointwise_loss,
        "bpr": bpr_loss,
        "hinge": hinge_loss,
        "adaptive_hinge": adaptive_hinge_loss,
    }
    _reshuffles = True

    def __init__(
        self,
        loss: str = "pointwise",
        representation: str | nn.Module = "pooling",
        embedding_dim: int = 32,
        n_iter: int = 10,
        batch_size: int = 256,
        l2: float = 0.0,
        learning_rate: float = 1e-2,
        optimizer_func: OptimizerFunc | None = None,
        use_cuda: bool = False,
        sparse: bool = False,
        random_state: RandomState = None,
        num_negative_samples: int = 5,
    ) -> None:
        if isinstance(representation, str) and representation not in _NETS:
            raise ValueError(f"unknown representation {representation!r}; there are {', '.join(_NETS)}")
        super().__init__(
            loss=loss,
            embedding_dim=embedding_dim,
            n_iter=n_iter,
            batch_size=batch_size,
            l2=l2,
            learning_rate=learning_rate,
            optimizer_func=optimizer_func,
            use_cuda=use_cuda,
            sparse=sparse,
            random_state=random_state,
        )
        self._representation = representation
        # Fused Adam rounds differently. That may choose another negative, or fall on the other side of a hinge, and
        # then scores differ from the original's by 0.01; so only where the loss is smooth and the net shallow.
        self._fused_adam = representation == "pooling" and loss in ("pointwise", "bpr")
        self._num_negative_samples = check_setting("num_negative_samples", num_negative_samples, least=1)
        self._num_items: int | None = None

    def fit(self, interactions: SequenceInteractions, verbose: bool = False) -> None:
        """Train for n_iter epochs; called again, go on from the present weights and optimiser state.

        Each epoch shuffles the windows as the one before left them, and a new call of fit starts from their given
        order. So n calls with n_iter=1 are not quite one call with n_iter=n.

        verbose       print the mean loss of every epoch
        raises        ValueError if there is no window, an id does not fit the model, or the loss of an epoch is NaN or
                      exactly 0
        """
        self._fit(interactions, verbose)

    def predict(self, sequences: np.ndarray, item_ids: np.ndarray | None = None) -> np.ndarray:
        """Score items as the next one of a single sequence.

        sequences  (L,) or (1, L) int, the oldest item first, values in [0, num_items); 0 is padding. An empty one is
                   scored as a single padding item.
        item_ids   ints of any shape, n in all; None for all items
        returns    (n,) float32. With all items, entry 0 belongs to the padding item.
        raises     RuntimeError before the first fit; ValueError for several sequences or an id that does not fit
        """
        sequences = np.atleast_2d(sequences)
        if len(sequences) != 1 or sequences.ndim != 2:
            raise ValueError(
                f"predict takes one sequence, got the shape {sequences.shape}; score_sequences takes several"
            )
        scores = self.score_sequences(sequences)[0]
        if item_ids is None:
            return scores
        item_ids = np.ravel(item_ids)
        check_ids("item", item_ids, self._num_items)
        return scores[item_ids]

    def score_sequences(self, sequences: np.ndarray) -> np.ndarray:
        """Score every item as the next one of each sequence: row by row what predict(sequence) gives.

        sequences  (B, L) int, the oldest item first, values in [0, num_items); 0 is padding. With L = 0, each is scored
                   as a single padding item.
        returns    (B, num_items) float32; column 0 belongs to the padding item
        raises     RuntimeError before the first fit; ValueError for another shape or an id that does not fit
        """
        net = self._fitted_net()
        sequences = np.asarray(sequences)
        if sequences.ndim != 2:
            raise ValueError(f"sequences has the shape {sequences.shape}, expected (sequences, length)")
        check_ids("item", sequences, self._num_items)
        if sequences.shape[1] == 0:
            sequences = np.full((len(sequences), 1), PADDING_IDX)
        score_all = net.score_all_items if type(net) in _NETS.values() else self._score_all_items
        windows = torch.tensor(sequences, dtype=torch.int64, device=self._device)
        scores = np.empty((len(sequences), self._num_items), dtype=np.float32)
        batch_size = max(1, _SCORES_AT_ONCE // self._num_items)
        with torch.no_grad():
            for start in range(0, len(scores), batch_size):
                _, states = net.user_representation(windows[start : start + batch_size])
                scores[start : start + batch_size] = score_all(states).cpu().numpy()
        return scores

    def _score_all_items(self, states: Tensor) -> Tensor:
        """Every item for each state, by a network that can only score one item for each."""
        items = torch.arange(self._num_items, device=self._device).unsqueeze(1)
        return torch.stack([self._net(state.expand(len(items), *state.shape), items).flatten() for state in states])

    def _make_net(self, interactions: SequenceInteractions) -> nn.Module:
        self._num_items = interactions.num_items
        if isinstance(self._representation, nn.Module):
            return self._representation
        return _NETS[self._representation](self._num_items, self._embedding_dim, sparse=self._sparse)

    def _columns(self, interactions: SequenceInteractions) -> tuple[Tensor, ...]:
        if interactions.sequences.size == 0:
            raise ValueError("a sequence model needs at least one window to fit")
        check_ids("item", interactions.sequences, self._num_items)
        return (torch.tensor(interactions.sequences, dtype=torch.int64),)

    def _has_closed_form(self) -> bool:
        return is_plain(self._net, PoolNet, PADDING_IDX)

    def _backward(self, windows: Tensor) -> Tensor:
        if not self._closed_form:
            return super()._backward(windows)
        # Autograd goes back to the scores, the net takes it from there.
        positive, negative, add_gradients = self._net.scores_and_gradients(windows, self._draw_negatives(windows))
        loss = self._loss_of(positive.requires_grad_(), negative.requires_grad_(), windows)
        loss.backward()
        add_gradients(positive.grad, negative.grad)
        return loss.detach()

    def _batch_loss(self, windows: Tensor) -> Tensor:
        negatives = self._draw_negatives(windows)
        states, _ = self._net.user_representation(windows)
        positive = self._net(states, windows).reshape(windows.shape)
        if type(self._net) in _NETS.values():
            negative = self._net.score_several(states, negatives)
        else:
            repeats = (len(negatives), *(1,) * (states.dim() - 1))
            negative = self._net(states.repeat(repeats), negatives.flatten(0, 1)).reshape(negatives.shape)
        return self._loss_of(positive, negative, windows)

    def _draw_negatives(self, windows: Tensor) -> Tensor:
        """(n, B, L) int64, n negatives for each item of the windows."""
        n = self._num_negative_samples if self._loss == "adaptive_hinge" else 1
        drawn = sample_items(self._num_items, (n * len(windows), windows.shape[1]), random_state=self._random_state)
        return torch.from_numpy(drawn).to(self._device).unflatten(0, (n, len(windows)))

    def _loss_of(self, positive: Tensor, negative: Tensor, windows: Tensor) -> Tensor:
        """() float, the mean over all items but padding, given scores (B, L) and (n, B, L)."""
        negative = negative if self._loss == "adaptive_hinge" else negative[0]
        return self._losses[self._loss](positive, negative, mask=windows != PADDING_IDX)
