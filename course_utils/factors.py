"""Matrix factorisation for lessons that begin where it ends: two tables of vectors, and one loop that trains them.

The model is the plainest there is, a dot product of two learnt vectors (Koren, Bell and Volinsky 2009, equation 2), and
its start is the uniform one on [0, 0.05]. What it learns depends on its targets: on stars, it has to find out
first who is kind and which films are good; on what biases leave over, only taste is left to find.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_utils.bars import tqdm
from course_utils.training import batches


class DotProduct(nn.Module):
    """score(u, i) = p_u · q_i, with a table of user vectors and one of item vectors.

    n_users, n_items  rows of the two tables
    n_factors         length of a vector
    """

    def __init__(self, n_users: int, n_items: int, n_factors: int) -> None:
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        for table in (self.user_factors, self.item_factors):
            nn.init.uniform_(table.weight, 0, 0.05)

    def forward(self, features: Tensor) -> Tensor:
        """Score pairs: features (B, 2) int64, user id and item id of each; returns (B,) float32."""
        return torch.einsum("bd,bd->b", self.user_factors(features[:, 0]), self.item_factors(features[:, 1]))


def fit_factors(
    model: nn.Module,
    features: Tensor,
    targets: Tensor,
    *,
    n_epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    falling: bool = False,
    generator: torch.Generator,
    after_epoch=lambda: None,
) -> list[float]:
    """Train on mean squared error with Adam, a progress bar telling the loss; returns the mean loss of each epoch.

    model         scores features
    features      (n, 2) int64, user id and item id
    targets       (n,) float32, what the scores should be
    weight_decay  decoupled from the gradient (Loshchilov and Hutter 2019), on every parameter
    falling       whether the learning rate falls in a straight line, from learning_rate to zero
    generator     draws the order of the rows, anew for each epoch
    after_epoch   called without arguments after every epoch, to measure
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 - epoch / n_epochs if falling else 1.0)
    losses = []
    with tqdm(total=n_epochs, unit="epoch", leave=False) as bar:
        for _ in range(n_epochs):
            total = 0.0
            for batch, wanted in batches(features, targets, batch_size=batch_size, generator=generator):
                loss = nn.functional.mse_loss(model(batch), wanted)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(wanted)
            schedule.step()
            losses.append(total / len(targets))
            bar.update()
            bar.set_postfix(loss=f"{losses[-1]:.4f}")
            after_epoch()
    return losses
