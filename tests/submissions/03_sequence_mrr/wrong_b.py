# Someone for whom padding is an item, and who takes the softmax too early.
# rest: reference

# %% ex-03-1-windows
# expect: 0 failed "start at the newest"
def cut_history(item_ids, length, step):
    rows = []
    for start in range(0, len(item_ids), step):
        items = item_ids[start : start + length]
        rows.append(np.pad(items, (length - len(items), 0)))
    return np.stack(rows)


# %% ex-03-2-split
# expect: 0 failed "training on test users"
def hold_out_users(user_ids, test_fraction, rng):
    rows = rng.permutation(len(user_ids))[: round(test_fraction * len(user_ids))]
    return np.isin(np.arange(len(user_ids)), rows)


# %% ex-03-3-targets
# expect: 0 failed "The target of a window is its last item"
def inputs_and_targets(windows):
    return windows[:, :-1], windows[:, -2]


# %% ex-03-4-ranks
# expect: 0 failed "Column 0 is ranked"
def reciprocal_ranks(scores, targets):
    own = scores[np.arange(len(targets)), targets][:, None]
    return 1 / (1 + (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2)


# %% ex-03-5-counts
# expect: 0 failed "Padding is counted as an item"
def count_next(windows, n_items):
    counts = np.zeros((n_items, n_items))
    np.add.at(counts, (windows[:, :-1], windows[:, 1:]), 1)
    return counts


# %% ex-03-6-entropy
# expect: 0 failed "The softmax is taken before the cross-entropy"
def cross_entropy_loss(scores, targets):
    return F.cross_entropy(scores[:, 1:].softmax(dim=1), targets - 1)


# %% ex-03-7-cbow
# expect: 0 failed "Padding is learnt as an item"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        return self.out(self.items(contexts).mean(dim=1))


# %% ex-03-8-bag
# expect: 0 failed "padding gets a weight"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.logits = nn.Parameter(torch.linspace(-2, 0, length))
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        weights = self.logits[-contexts.shape[1] :].softmax(dim=0)
        return self.out((weights[:, None] * self.items(contexts)).sum(dim=1))


# %% ex-03-9-recurrent
# expect: 0 failed "The layer runs over the padding"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.gru = nn.GRU(n_factors, n_factors, batch_first=True)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        states, _ = self.gru(self.items(contexts))
        return self.out(states[:, -1])


# %% ex-03-10-mask
# expect: 0 failed "ask the place that is looked at"
def attention_mask(contexts):
    length = contexts.shape[1]
    earlier = torch.ones(length, length, dtype=torch.bool).tril()
    return (earlier & (contexts != 0)[:, :, None]) | torch.eye(length, dtype=torch.bool)


# %% ex-03-11-attention
# expect: 0 failed "The mask is applied after the softmax"
def attention(queries, keys, values, mask):
    weights = (queries @ keys.transpose(-2, -1) / queries.shape[-1] ** 0.5).softmax(dim=-1)
    return (weights * mask) @ values


# %% ex-03-12-transformer
# expect: 0 failed "Either padding is looked at"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors)
        self.places = nn.Embedding(length, n_factors)
        self.project = nn.Linear(n_factors, 3 * n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def states(self, contexts):
        x = self.items(contexts) + self.places(torch.arange(contexts.shape[1]).flip(0))
        q, k, v = self.project(x).chunk(3, dim=-1)
        return x + F.scaled_dot_product_attention(q, k, v, is_causal=True)

    def forward(self, contexts):
        return self.out(self.states(contexts)[:, -1])


# %% ex-03-13-sampled
# expect: 0 failed "The softmax is taken before the cross-entropy"
def sampled_softmax_loss(positive, negative):
    probs = torch.cat([positive[:, None], negative], dim=1).softmax(dim=1)
    return F.cross_entropy(probs, torch.zeros(len(probs), dtype=torch.int64))


# %% ex-03-14-bpr
# expect: 0 failed "Spotlight's own variant"
def bpr_loss(positive, negative):
    return (1 - torch.sigmoid(positive[:, None] - negative)).mean()


# %% ex-03-15-best
# expect: 0 failed "the second place is worth 1/2"
def best_possible_mrr(probs):
    return probs.max(axis=1).mean()


# %% ex-03-16-ladder
# expect: 0 failed "the target was left in the input"
def score_next_items(histories, contexts, n_items):
    last = contexts[:, -1]
    counts = torch.bincount(torch.cat(histories), minlength=n_items).float()
    scores = torch.rand(len(contexts), n_items) + 0 * counts
    scores[torch.arange(len(contexts)), last] += 10
    return scores
