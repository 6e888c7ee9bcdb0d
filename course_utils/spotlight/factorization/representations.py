"""The network inside the factorization models."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_utils.spotlight.layers import ScaledEmbedding, ZeroEmbedding


class BilinearNet(nn.Module):
    """score(u, i) = p_u · q_i + b_u + c_i. No global mean: the biases have to find it.

    embedding_dim         length of p_u and q_i
    user_embedding_layer  replaces the table of p
    item_embedding_layer  replaces the table of q
    sparse                sparse gradients for all four tables; needs an optimiser that takes them
    """

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 32,
        user_embedding_layer: nn.Module | None = None,
        item_embedding_layer: nn.Module | None = None,
        sparse: bool = False,
    ) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        # The users' vectors are drawn first.
        if user_embedding_layer is None:
            user_embedding_layer = ScaledEmbedding(num_users, embedding_dim, sparse=sparse)
        if item_embedding_layer is None:
            item_embedding_layer = ScaledEmbedding(num_items, embedding_dim, sparse=sparse)
        self.user_embeddings = user_embedding_layer
        self.item_embeddings = item_embedding_layer
        self.user_biases = ZeroEmbedding(num_users, 1, sparse=sparse)
        self.item_biases = ZeroEmbedding(num_items, 1, sparse=sparse)

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        """Score pairs.

        user_ids  (B,) int64
        item_ids  (B,) int64
        returns   (B,) float32
        """
        dot = (self.user_embeddings(user_ids) * self.item_embeddings(item_ids)).sum(-1)
        return dot + self.user_biases(user_ids).squeeze(-1) + self.item_biases(item_ids).squeeze(-1)

    def score_all_items(self, user_ids: Tensor) -> Tensor:
        """Score every item for each user, by one matrix product.

        user_ids  (B,) int64
        returns   (B, num_items) float32
        """
        items = torch.arange(self.item_biases.num_embeddings, device=user_ids.device)
        dots = self.user_embeddings(user_ids) @ self.item_embeddings(items).T
        return dots + self.user_biases(user_ids) + self.item_biases.weight.T

    @torch.no_grad()
    def scores_and_gradients(self, user_ids: Tensor, item_ids: Tensor) -> tuple[Tensor, Callable[[Tensor], None]]:
        """Score pairs without autograd, and give what replaces it: a function that takes the derivative of the loss by
        each score, (B,), and by the chain rule adds to the .grad of all four tables. For the net's own dense tables.

        user_ids  (B,) int64
        item_ids  (B,) int64
        returns   scores (B,) float32, as from forward; the function
        """
        p, q = self.user_embeddings.weight, self.item_embeddings.weight
        b, c = self.user_biases.weight, self.item_biases.weight
        p_rows, q_rows = p.index_select(0, user_ids), q.index_select(0, item_ids)
        scores = (p_rows * q_rows).sum(-1, keepdim=True) + b.index_select(0, user_ids) + c.index_select(0, item_ids)

        @torch.no_grad()
        def add_gradients(by_score: Tensor) -> None:
            by_score = by_score.unsqueeze(1)
            _add_to_grad(p, user_ids, by_score * q_rows)
            _add_to_grad(q, item_ids, by_score * p_rows)
            _add_to_grad(b, user_ids, by_score)
            _add_to_grad(c, item_ids, by_score)

        return scores.squeeze(-1), add_gradients


def _add_to_grad(table: nn.Parameter, ids: Tensor, rows: Tensor) -> None:
    # Summed up before it is added: a user's gradients from positives and negatives that are equal and opposite must
    # cancel out exactly, for Adam makes full steps of a difference in rounding.
    gradient = torch.zeros_like(table).index_add_(0, ids, rows)
    table.grad = gradient if table.grad is None else table.grad.add_(gradient)
