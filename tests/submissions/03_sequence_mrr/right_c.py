# Someone who follows the hints to the letter, starts all weights alike, and uses what libraries have.
# rest: reference

# %% ex-03-2-split
# expect: 1 ok "each with all interactions"
def hold_out_users(user_ids, test_fraction, rng):
    users = np.unique(user_ids)
    test = rng.choice(users, round(test_fraction * len(users)), replace=False, shuffle=False)
    return pd.Series(user_ids).isin(test).to_numpy()


# %% ex-03-7-cbow
# expect: 2 ok "Padding and order change nothing"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        nn.init.normal_(self.items.weight, std=n_factors**-0.5)
        with torch.no_grad():
            self.items.weight[0] = 0

    def forward(self, contexts):
        n_real = (contexts != 0).sum(dim=1, keepdim=True).clamp(min=1)
        states = self.items(contexts).sum(dim=1) / n_real
        return states @ self.items.weight.T


# %% ex-03-8-bag
# expect: 2 ok "the place of every item counts"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        nn.init.normal_(self.items.weight.data[1:], std=n_factors**-0.5)
        self.logits = nn.Parameter(torch.zeros(length))
        self.map = nn.Linear(n_factors, n_factors)
        self.seen = nn.Parameter(torch.zeros(1))

    def forward(self, contexts):
        weights = self.logits[-contexts.shape[1] :].exp() * (contexts != 0)
        weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
        states = self.map((weights[:, :, None] * self.items(contexts)).sum(dim=1))
        scores = states @ self.items.weight.T
        return scores.scatter_add(1, contexts, self.seen.expand(contexts.shape))


# %% ex-03-9-recurrent
# expect: 3 ok "Padding changes nothing, order does"
class RecurrentNet(nn.Module):
    """A plain recurrent cell of its own, with a loop, and scores that start at zero."""

    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.cell = nn.RNNCell(n_factors, n_factors)
        self.out = nn.Linear(n_factors, n_items)
        nn.init.zeros_(self.out.weight)

    def forward(self, contexts):
        state = torch.zeros(len(contexts), self.cell.hidden_size)
        for column in contexts.T:
            real = (column != 0)[:, None]
            state = real * self.cell(self.items(column), state) + ~real * state
        return self.out(state)


# %% ex-03-11-attention
# expect: 2 ok "the same as torch's own"
def attention(queries, keys, values, mask):
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)


# %% ex-03-12-transformer
# expect: 3 ok "No later item leaks"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.places = nn.Parameter(torch.randn(length, n_factors) * n_factors**-0.5)
        self.attend = nn.MultiheadAttention(n_factors, 1, batch_first=True)
        self.out = nn.Linear(n_factors, n_items)

    def states(self, contexts):
        length = contexts.shape[1]
        x = self.items(contexts) + self.places[-length:]
        mixed, _ = self.attend(x, x, x, attn_mask=~attention_mask(contexts), need_weights=False)
        return x + mixed

    def forward(self, contexts):
        return self.out(self.states(contexts)[:, -1])
