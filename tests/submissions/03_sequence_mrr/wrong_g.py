# Someone who adds where a mean is asked for, and takes a mean where one state is.
# rest: stub

# %% ex-03-7-cbow
# expect: 0 failed "divide their sum by the number of real items"
class CBOW(nn.Module):
    """A sum, not a mean."""

    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        nn.init.normal_(self.items.weight.data[1:], std=n_factors**-0.5)
        self.biases = nn.Parameter(torch.zeros(n_items))

    def forward(self, contexts):
        states = (self.items(contexts) * (contexts != 0)[:, :, None]).sum(dim=1)
        return states @ self.items.weight.T + self.biases


# %% ex-03-8-bag
# expect: 0 failed "divide the weights of the real items by their sum"
class DecayedBag(nn.Module):
    """Weights that nobody divides by their sum."""

    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        nn.init.normal_(self.items.weight.data[1:], std=n_factors**-0.5)
        self.weights = nn.Parameter(torch.linspace(-2, 0, length))
        self.map = nn.Linear(n_factors, n_factors)

    def forward(self, contexts):
        weights = self.weights[-contexts.shape[1] :].exp() * (contexts != 0)
        states = self.map((weights[:, :, None] * self.items(contexts)).sum(dim=1))
        return states @ self.items.weight.T


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
