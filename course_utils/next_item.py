"""The loop that sequence models share: windows in, a net that scores every item as the next one out.

A net turns contexts (B, L) int64, item ids with zeros in front, into scores (B, n_items), column 0 for the padding.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.bars import tqdm
from course_utils.training import batches

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""(net, contexts (B, L), targets (B,)) -> a () tensor to go down on."""


def catalogue_loss(net: nn.Module, contexts: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of the targets (B,) against all items but the padding; a () tensor."""
    return F.cross_entropy(net(contexts)[:, 1:], targets - 1)


def fit_windows(
    net: nn.Module,
    windows: np.ndarray,
    *,
    n_epochs: int,
    generator: torch.Generator,
    loss: Loss = catalogue_loss,
    batch_size: int = 512,
    learning_rate: float = 5e-3,
    weight_decay: float = 0.1,
    after_epoch: Callable[[], None] = lambda: None,
) -> nn.Module:
    """Train a net to name the last item of each window, by AdamW, the rate falling to zero in a straight line.

    windows       (n, L + 1) ints, item ids from 1, zeros in front; the last column is the target
    generator     draws the order of the windows in each epoch
    weight_decay  decoupled, on every parameter
    after_epoch   called after each epoch, with the net as the epoch left it; may switch it to evaluation
    returns       the net, in evaluation mode
    raises        ValueError if a window ends in padding
    """
    windows = torch.from_numpy(np.ascontiguousarray(windows, dtype=np.int64))
    contexts, targets = windows[:, :-1], windows[:, -1]
    if (targets < 1).any():
        raise ValueError(f"window {int((targets < 1).nonzero()[0])} ends in padding: there is nothing to name")
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    n_steps = n_epochs * -(-len(windows) // batch_size)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / n_steps)
    for _ in tqdm(range(n_epochs), desc=type(net).__name__, unit="epoch", leave=False):
        net.train()
        for given, wanted in batches(contexts, targets, batch_size=batch_size, generator=generator):
            value = loss(net, given, wanted)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            falling.step()
        after_epoch()
    return net.eval()
