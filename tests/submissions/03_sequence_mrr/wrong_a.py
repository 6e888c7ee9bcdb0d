# Someone who turns things round: windows, masks, signs, batch and time.
# rest: reference

# %% ex-03-1-windows
# expect: 0 failed "The zeros stand behind the items"
def cut_history(item_ids, length, step):
    rows = []
    for end in range(len(item_ids), 0, -step):
        items = item_ids[max(end - length, 0) : end]
        rows.append(np.pad(items, (0, length - len(items))))
    return np.stack(rows)


# %% ex-03-2-split
# expect: 0 failed "The mask is the wrong way round"
def hold_out_users(user_ids, test_fraction, rng):
    users = np.unique(user_ids)
    return ~np.isin(user_ids, rng.choice(users, round(test_fraction * len(users)), replace=False))


# %% ex-03-3-targets
# expect: 0 failed "target left in the input"
def inputs_and_targets(windows):
    return windows[:, 1:], windows[:, -1]


# %% ex-03-4-ranks
# expect: 0 failed "ranks start at 1, not at 0"
def reciprocal_ranks(scores, targets):
    own = scores[np.arange(len(targets)), targets][:, None]
    better = (scores[:, 1:] > own).sum(axis=1)
    equal = (scores[:, 1:] == own).sum(axis=1) - 1
    with np.errstate(divide="ignore"):
        return 1 / (better + equal / 2)


# %% ex-03-5-counts
# expect: 0 failed "Rows and columns are swapped"
def count_next(windows, n_items):
    counts = np.zeros((n_items, n_items))
    before, after = windows[:, :-1], windows[:, 1:]
    np.add.at(counts, (after[before > 0], before[before > 0]), 1)
    return counts


# %% ex-03-6-entropy
# expect: 0 failed "The sign is wrong"
def cross_entropy_loss(scores, targets):
    return scores[:, 1:].log_softmax(dim=1).gather(1, targets[:, None] - 1).mean()


# %% ex-03-7-cbow
# expect: 0 failed "Rows of a batch feel each other"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        n_real = (contexts != 0).sum(dim=1, keepdim=True).clamp(min=1)
        state = self.items(contexts).sum(dim=1) / n_real
        return self.out(state.softmax(dim=0))


# %% ex-03-8-bag
# expect: 0 failed "places are numbered from the left edge"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.logits = nn.Parameter(torch.linspace(-2, 0, length))
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        weights = self.logits[: contexts.shape[1]].exp() * (contexts != 0)
        weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
        return self.out((weights[:, :, None] * self.items(contexts)).sum(dim=1))


# %% ex-03-9-recurrent
# expect: 0 failed "batch and time are swapped"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.gru = nn.GRU(n_factors, n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        states, _ = self.gru(self.items(contexts))
        return self.out(states[:, -1])


# %% ex-03-10-mask
# expect: 0 failed "The mask is the wrong way round"
def attention_mask(contexts):
    length = contexts.shape[1]
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    return (later | (contexts == 0)[:, None, :]) & ~torch.eye(length, dtype=torch.bool)


# %% ex-03-11-attention
# expect: 0 failed "The mask is the wrong way round"
def attention(queries, keys, values, mask):
    scores = queries @ keys.transpose(-2, -1) / queries.shape[-1] ** 0.5
    return scores.masked_fill(mask, -torch.inf).softmax(dim=-1) @ values


# %% ex-03-12-transformer
# expect: 0 failed "Later items leak into earlier states"
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
        later = torch.ones(length, length, dtype=torch.bool).triu(1)  # torch's mask says what may be looked at
        mask = later | torch.eye(length, dtype=torch.bool)
        return x + F.scaled_dot_product_attention(q, k, v, attn_mask=mask.expand(len(x), -1, -1))

    def forward(self, contexts):
        return self.out(self.states(contexts)[:, -1])


# %% ex-03-13-sampled
# expect: 0 failed "The sign is wrong"
def sampled_softmax_loss(positive, negative):
    return torch.cat([positive[:, None], negative], dim=1).log_softmax(dim=1)[:, 0].mean()


# %% ex-03-14-bpr
# expect: 0 failed "The difference is the wrong way round"
def bpr_loss(positive, negative):
    return -F.logsigmoid(negative - positive[:, None]).mean()


# %% ex-03-15-best
# expect: 0 failed "That ranks the least likely item first"
def best_possible_mrr(probs):
    return (np.sort(probs, axis=1) / np.arange(1, probs.shape[1] + 1)).sum(axis=1).mean()


# %% ex-03-16-ladder
# expect: 0 failed "Every window gets the same films"
def score_next_items(histories, contexts, n_items):
    counts = np.bincount(torch.cat(histories).numpy(), minlength=n_items)
    return torch.tensor(counts, dtype=torch.float32).repeat(len(contexts), 1)
