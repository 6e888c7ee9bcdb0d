# Someone who thinks in arrays and classes, with cells, buffers and library layers, and hands in two bags.
# rest: reference

# %% ex-03-1-windows
# expect: 2 ok "side by side and sliding"
def cut_history(item_ids, length, step):
    ends = np.arange(len(item_ids), 0, -step)
    places = ends[:, None] + np.arange(-length, 0)
    return np.where(places >= 0, item_ids[places.clip(0)], 0)


# %% ex-03-2-split
# expect: 1 ok "each with all interactions"
def hold_out_users(user_ids, test_fraction, rng):
    users, rows = np.unique(user_ids, return_inverse=True)
    lot = rng.random(len(users)).argsort().argsort()
    return lot[rows] < round(test_fraction * len(users))


# %% ex-03-3-targets
# expect: 1 ok "not among the inputs"
def inputs_and_targets(windows):
    *given, target = windows.unbind(dim=1)
    return torch.stack(given, dim=1), target


# %% ex-03-4-ranks
# expect: 2 ok "a constant scorer gets the middle"
def reciprocal_ranks(scores, targets):
    result = []
    for row, target in zip(scores.tolist(), targets.tolist()):
        others = [score for film, score in enumerate(row) if film not in (0, target)]
        better = sum(score > row[target] for score in others)
        equal = sum(score == row[target] for score in others)
        result.append(1 / (1 + better + equal / 2))
    return result


# %% ex-03-5-counts
# expect: 2 ok "none of them with padding"
def count_next(windows, n_items):
    before, after = windows[:, :-1].ravel(), windows[:, 1:].ravel()
    codes = (before * n_items + after)[before != 0]
    return np.bincount(codes, minlength=n_items * n_items).reshape(n_items, n_items)


# %% ex-03-6-entropy
# expect: 1 ok "no gradient into the padding"
def cross_entropy_loss(scores, targets):
    padding = torch.arange(scores.shape[1]) == 0
    return nn.CrossEntropyLoss()(scores.masked_fill(padding, -torch.inf), targets)


# %% ex-03-7-cbow
# expect: 2 ok "Padding and order change nothing"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors)  # row 0 is kept out by the mask alone
        self.hidden = nn.Linear(n_factors, n_factors)
        self.biases = nn.Embedding(n_items, 1)

    def forward(self, contexts):
        real = (contexts != 0).float()[:, :, None]
        state = (self.items(contexts) * real).sum(1) / torch.clamp(real.sum(1), min=1)
        return torch.tanh(self.hidden(state)) @ self.items.weight.t() + self.biases.weight[:, 0]


# %% ex-03-8-bag
# expect: 2 ok "the place of every item counts"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.read = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.write = nn.Embedding(n_items, n_factors)
        self.by_age = nn.Parameter(torch.full((length,), 1.0) / torch.arange(1, length + 1))

    def forward(self, contexts):
        ages = torch.arange(contexts.shape[1]).flip(0)
        weights = nn.functional.softplus(self.by_age)[ages] * (contexts > 0)
        state = (weights.unsqueeze(-1) * self.read(contexts)).sum(1) / (weights.sum(1, keepdim=True) + 1e-9)
        return nn.functional.linear(state, self.write.weight)


# %% ex-03-9-recurrent
# expect: 3 ok "Padding changes nothing, order does"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.cell = nn.GRUCell(n_factors, n_factors)
        self.out = nn.Linear(n_factors, n_items, bias=False)

    def forward(self, contexts):
        state = torch.zeros(len(contexts), self.cell.hidden_size)
        for column in contexts.unbind(dim=1):
            state = torch.where((column != 0)[:, None], self.cell(self.items(column), state), state)
        return self.out(state)


# %% ex-03-10-mask
# expect: 1 ok "later ones and padding cannot"
def attention_mask(contexts):
    i = torch.arange(contexts.size(1))
    later = i[None, :] > i[:, None]
    forbidden = later[None] | (contexts == 0)[:, None, :]
    return ~forbidden | (i[None, :] == i[:, None])


# %% ex-03-11-attention
# expect: 2 ok "the same as torch's own"
def attention(queries, keys, values, mask):
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.mT
    weights = torch.softmax(scores + torch.zeros_like(scores).masked_fill(~mask, -1e9), -1)
    return weights @ values


# %% ex-03-12-transformer
# expect: 3 ok "No later item leaks"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.by_age = nn.Parameter(0.1 * torch.randn(length, n_factors))
        self.block = nn.TransformerEncoderLayer(n_factors, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
        self.biases = nn.Parameter(torch.zeros(n_items))

    def states(self, contexts):
        length = contexts.shape[1]
        forbidden = torch.ones(length, length, dtype=torch.bool).triu(1)[None] | (contexts == 0)[:, None, :]
        forbidden = forbidden & ~torch.eye(length, dtype=torch.bool)
        x = self.items(contexts) + self.by_age[:length].flip(0)
        return self.block(x, src_mask=forbidden.repeat_interleave(2, dim=0))

    def forward(self, contexts):
        return self.states(contexts)[:, -1] @ self.items.weight.T + self.biases


# %% ex-03-13-sampled
# expect: 1 ok "negatives each"
def sampled_softmax_loss(positive, negative):
    return F.softplus(torch.logsumexp(negative, dim=1) - positive).mean()


# %% ex-03-14-bpr
# expect: 1 ok "pairs: loss"
def bpr_loss(positive, negative):
    differences = positive.reshape(-1, 1).expand_as(negative) - negative
    return F.binary_cross_entropy_with_logits(differences, torch.ones_like(differences))


# %% ex-03-15-best
# expect: 1 ok "no ranking expects more"
def best_possible_mrr(probs):
    ranks_of = (-probs).argsort(axis=1).argsort(axis=1) + 1
    return (probs / ranks_of).sum(axis=1).mean()


# %% ex-03-16-ladder
# expect: 4 ok "4 of 4 rungs: ahead of Markov counts"
def score_next_items(histories, contexts, n_items):
    """A bag with tied vectors, averaged with the counts."""
    windows = np.concatenate([cut_history(history.numpy(), 10, 1) for history in histories])

    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.items = nn.Embedding(n_items, 128, padding_idx=0)
            nn.init.normal_(self.items.weight, std=0.09)
            self.bias = nn.Parameter(torch.zeros(n_items))
            self.age = nn.Parameter(torch.linspace(-2.0, 0.0, 9))
            self.map = nn.Linear(128, 128)

        def forward(self, c):
            w = self.age.exp() * (c != 0)
            w = w / w.sum(1, keepdim=True).clamp(min=1e-6)
            scores = self.map((w[:, :, None] * self.items(c)).sum(1)) @ self.items.weight.T + self.bias
            return scores.scatter_add(1, c, torch.full(c.shape, -30.0))

    torch.manual_seed(1)
    bag = fit_windows(Bag(), windows, n_epochs=6, learning_rate=6e-3, generator=torch.Generator().manual_seed(1))
    users = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
    model = Markov().fit(users, np.concatenate(histories), n_users=len(histories), n_items=n_items)
    counted = model.score_sequences(contexts.numpy())
    with torch.no_grad():
        return bag(contexts).softmax(1).numpy() * counted
