# Someone who looks at the last film alone, and draws users unevenly.
# rest: reference

# %% ex-03-2-split
# expect: 0 failed "drawn twice"
def hold_out_users(user_ids, test_fraction, rng):
    users = np.unique(user_ids)
    return np.isin(user_ids, rng.choice(users, round(test_fraction * len(users))))


# %% ex-03-7-cbow
# expect: 0 failed "nn.init overwrites it"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        nn.init.normal_(self.items.weight, std=n_factors**-0.5)

    def forward(self, contexts):
        n_real = (contexts != 0).sum(dim=1, keepdim=True).clamp(min=1)
        return self.items(contexts).sum(dim=1) / n_real @ self.items.weight.T


# %% ex-03-8-bag
# expect: 0 failed "through a linear map"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        nn.init.normal_(self.items.weight.data[1:], std=n_factors**-0.5)
        self.logits = nn.Parameter(torch.zeros(length))
        self.biases = nn.Parameter(torch.zeros(n_items))

    def forward(self, contexts):
        weights = self.logits[-contexts.shape[1] :].exp() * (contexts != 0)
        weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
        return (weights[:, :, None] * self.items(contexts)).sum(dim=1) @ self.items.weight.T + self.biases


# %% ex-03-9-recurrent
# expect: 0 failed "The scores come from the last items alone"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.state = nn.Linear(n_factors, n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        return self.out(torch.tanh(self.state(self.items(contexts[:, -1]))))


# %% ex-03-12-transformer
# expect: 0 failed "The scores come from the last items alone"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.map = nn.Linear(n_factors, n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def states(self, contexts):
        return torch.relu(self.map(self.items(contexts)))

    def forward(self, contexts):
        return self.out(self.states(contexts)[:, -1])


# %% ex-03-1-windows
# expect: 0 failed "The oldest window comes first here"
def cut_history(item_ids, length, step):
    rows = []
    for end in range(len(item_ids), 0, -step):
        items = item_ids[max(end - length, 0) : end]
        rows.insert(0, np.pad(items, (length - len(items), 0)))
    return np.stack(rows)


# %% ex-03-4-ranks
# expect: 0 failed "Ties are broken by position"
def reciprocal_ranks(scores, targets):
    order = np.argsort(-scores[:, 1:], axis=1, kind="stable") + 1
    return 1 / (1 + (order == targets[:, None]).argmax(axis=1))


# %% ex-03-5-counts
# expect: 0 failed "counts.toarray()"
def count_next(windows, n_items):
    from scipy import sparse

    before, after = windows[:, :-1].ravel(), windows[:, 1:].ravel()
    real = before > 0
    return sparse.csr_array((np.ones(real.sum()), (before[real], after[real])), shape=(n_items, n_items))


# %% ex-03-6-entropy
# expect: 0 error "changed in place"
def cross_entropy_loss(scores, targets):
    scores[:, 0] = -torch.inf
    return F.cross_entropy(scores, targets)


# %% ex-03-14-bpr
# expect: 0 error "positive[:, None] is (B, 1)"
def bpr_loss(positive, negative):
    return -F.logsigmoid(positive - negative).mean()


# %% ex-03-16-ladder
# expect: 3 failed "3 of 4 rungs: level with Markov counts"
def score_next_items(histories, contexts, n_items):
    """Counts alone: the nets above are of no use here."""
    users = np.concatenate([np.full(len(history), user) for user, history in enumerate(histories)])
    items = torch.cat(histories).numpy()
    return Markov().fit(users, items, n_users=len(histories), n_items=n_items).score_sequences(contexts.numpy())
