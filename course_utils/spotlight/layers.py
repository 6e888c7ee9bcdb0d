"""Embedding tables with Spotlight's initial values."""

import torch
from torch import nn


class ScaledEmbedding(nn.Embedding):
    """Entries drawn from a normal distribution with mean 0 and standard deviation 1 / embedding_dim."""

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the entries; the padding row, where there is one, is zero."""
        self.weight.normal_(0, 1 / self.embedding_dim)
        if self.padding_idx is not None:
            self.weight[self.padding_idx] = 0


class ZeroEmbedding(nn.Embedding):
    """Entries that start at zero: biases. Draws no random number."""

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Set every entry to zero."""
        self.weight.zero_()
