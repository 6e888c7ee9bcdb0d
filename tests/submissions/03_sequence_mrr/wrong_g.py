# Someone who scores the mean of all states.
# rest: stub

# %% ex-03-12-transformer
# expect: 0 failed "not from the first or from the mean of all"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.places = nn.Embedding(length, n_factors)
        self.project = nn.Linear(n_factors, 3 * n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def states(self, contexts):
        length = contexts.shape[1]
        x = self.items(contexts) + self.places(torch.arange(length).flip(0))
        q, k, v = self.project(x).chunk(3, dim=-1)
        earlier = torch.ones(length, length, dtype=torch.bool).tril()
        mask = (earlier & (contexts != 0)[:, None, :]) | torch.eye(length, dtype=torch.bool)
        return x + F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def forward(self, contexts):
        return self.out(self.states(contexts).mean(dim=1))
