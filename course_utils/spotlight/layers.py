"""Embedding tables with Spotlight's initial values, and one that many ids share."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.utils import murmurhash3_32
from torch import Tensor, nn

# The original's seeds, in its order: other ones would hash to other rows.
SEEDS = (
    *(179424941, 179425457, 179425907, 179426369, 179424977, 179425517, 179425943, 179426407),
    *(179424989, 179425529, 179425993, 179426447, 179425003, 179425537, 179426003, 179426453),
    *(179425019, 179425559, 179426029, 179426491, 179425027, 179425579, 179426081, 179426549),
)


class ScaledEmbedding(nn.Embedding):
    """Entries drawn from a normal distribution with mean 0 and standard deviation 1 / embedding_dim."""

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the entries; the padding row, where there is one, is zero."""
        self.weight.normal_(0, 1 / self.embedding_dim)
        if self.padding_idx is not None:
            self.weight[self.padding_idx] = 0


class ScaledEmbeddingBag(nn.EmbeddingBag):
    """The same for a table whose rows are summed up by bags."""

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


class BloomEmbedding(nn.Module):
    """An embedding of many ids in a table of few rows: an id's vector is the sum of the rows that several hashes of it
    name, so that two ids rarely have all rows in common. Looked up like nn.Embedding, for ids of any shape.

    After Serrà and Karatzoglou, "Getting deep recommenders fit: Bloom embeddings for sparse binary input/output
    networks" (RecSys 2017), with hashes, seeds and initial values of Spotlight 0.1.6. The padding id hashes to row 0
    only, which other ids may hit as well: without bag it is zero and stays so, with bag it is a row like any other.

    num_embeddings      ids
    embedding_dim       length of a vector
    compression_ratio   rows of the table, as a share of num_embeddings, rounded down
    num_hash_functions  rows summed up for an id, at most 24
    bag                 sum up in an EmbeddingBag
    padding_idx         the padding id
    raises              ValueError for more hash functions, or a table without rows
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        compression_ratio: float = 0.2,
        num_hash_functions: int = 4,
        bag: bool = False,
        padding_idx: int = 0,
    ) -> None:
        super().__init__()
        if num_hash_functions > len(SEEDS):
            raise ValueError(f"there are {len(SEEDS)} hash functions, {num_hash_functions} requested")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.compression_ratio = compression_ratio
        self.compressed_num_embeddings = int(compression_ratio * num_embeddings)
        self.num_hash_functions = num_hash_functions
        self.padding_idx = padding_idx
        if self.compressed_num_embeddings < 1:
            raise ValueError(f"compression_ratio={compression_ratio} leaves no row for {num_embeddings} ids")
        self._bag = bag
        if bag:
            self.embeddings = ScaledEmbeddingBag(self.compressed_num_embeddings, embedding_dim, mode="sum")
        else:
            self.embeddings = ScaledEmbedding(self.compressed_num_embeddings, embedding_dim, padding_idx=0)
        self.register_buffer("_rows", self._hash(), persistent=False)

    def __repr__(self) -> str:
        return f"<BloomEmbedding (compression_ratio: {self.compression_ratio}): {self.embeddings!r}>"

    def forward(self, indices: Tensor) -> Tensor:
        """Look up.

        indices  (...) int64, values in [0, num_embeddings)
        returns  (..., embedding_dim) float32
        """
        rows = self._rows[indices.flatten()]
        vectors = self.embeddings(rows) if self._bag else self.embeddings(rows).sum(1)
        return vectors.view(*indices.shape, self.embedding_dim)

    def _hash(self) -> Tensor:
        """(num_embeddings, num_hash_functions) int64: the rows of each id."""
        ids = np.arange(self.num_embeddings, dtype=np.int32)
        hashes = np.stack([murmurhash3_32(ids, seed=seed) for seed in SEEDS[: self.num_hash_functions]], axis=1)
        rows = hashes % self.compressed_num_embeddings
        rows[self.padding_idx] = 0
        return torch.from_numpy(rows.astype(np.int64))
