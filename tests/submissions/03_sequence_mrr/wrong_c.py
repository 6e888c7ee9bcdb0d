# Someone who drops what is needed: short windows, ties, scaling, gradients, the last real place.
# rest: reference

# %% ex-03-1-windows
# expect: 0 failed "Short windows are missing"
def cut_history(item_ids, length, step):
    rows = [item_ids[end - length : end] for end in range(len(item_ids), length - 1, -step)]
    return np.array(rows).reshape(-1, length)


# %% ex-03-2-split
# expect: 0 failed "Draw the users from the generator"
def hold_out_users(user_ids, test_fraction, rng):
    users = np.unique(user_ids)
    return np.isin(user_ids, users[: round(test_fraction * len(users))])


# %% ex-03-3-targets
# expect: 0 failed "That is a column, (B, 1)"
def inputs_and_targets(windows):
    return windows[:, :-1], windows[:, -1:]


# %% ex-03-4-ranks
# expect: 0 failed "Ties are counted optimistically"
def reciprocal_ranks(scores, targets):
    own = scores[np.arange(len(targets)), targets][:, None]
    return 1 / (1 + (scores[:, 1:] > own).sum(axis=1))


# %% ex-03-5-counts
# expect: 0 failed "A pair that comes twice counts once"
def count_next(windows, n_items):
    counts = np.zeros((n_items, n_items))
    before, after = windows[:, :-1], windows[:, 1:]
    counts[before[before > 0], after[before > 0]] += 1
    return counts


# %% ex-03-6-entropy
# expect: 0 failed "The padding is among the candidates"
def cross_entropy_loss(scores, targets):
    return F.cross_entropy(scores, targets)


# %% ex-03-7-cbow
# expect: 0 failed "divide by the number of real items"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.biases = nn.Parameter(torch.zeros(n_items))

    def forward(self, contexts):
        return self.items(contexts).mean(dim=1) @ self.items.weight.T + self.biases


# %% ex-03-8-bag
# expect: 0 failed "The last two places count the same"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.logits = nn.Parameter(torch.zeros(length))
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        weights = (contexts != 0).float()
        weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
        return self.out((weights[:, :, None] * self.items(contexts)).sum(dim=1))


# %% ex-03-9-recurrent
# expect: 0 failed "The last hidden state is taken at a padded place"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.gru = nn.GRU(n_factors, n_factors, batch_first=True)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        left = torch.stack([torch.cat([row[row != 0], row[row == 0]]) for row in contexts])
        states, _ = self.gru(self.items(left))
        return self.out(states[:, -1])


# %% ex-03-10-mask
# expect: 0 failed "softmax over nothing is NaN"
def attention_mask(contexts):
    length = contexts.shape[1]
    return torch.ones(length, length, dtype=torch.bool).tril() & (contexts != 0)[:, None, :]


# %% ex-03-11-attention
# expect: 0 failed "The scores are not scaled"
def attention(queries, keys, values, mask):
    return (queries @ keys.transpose(-2, -1)).masked_fill(~mask, -torch.inf).softmax(dim=-1) @ values


# %% ex-03-12-transformer
# expect: 0 failed "does not see the order of the items"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.project = nn.Linear(n_factors, 3 * n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def states(self, contexts):
        length = contexts.shape[1]
        q, k, v = self.project(self.items(contexts)).chunk(3, dim=-1)
        earlier = torch.ones(length, length, dtype=torch.bool).tril()
        mask = (earlier & (contexts != 0)[:, None, :]) | torch.eye(length, dtype=torch.bool)
        return F.scaled_dot_product_attention(0 * q, k, v, attn_mask=mask)

    def forward(self, contexts):
        return self.out(self.states(contexts)[:, -1])


# %% ex-03-13-sampled
# expect: 0 failed "The target is missing below the line"
def sampled_softmax_loss(positive, negative):
    return (negative.logsumexp(dim=1) - positive).mean()


# %% ex-03-14-bpr
# expect: 0 failed "which never form the ratio"
def bpr_loss(positive, negative):
    return -torch.sigmoid(positive[:, None] - negative).log().mean()


# %% ex-03-15-best
# expect: 0 failed "sort each row, the likeliest first"
def best_possible_mrr(probs):
    return (probs / np.arange(1, probs.shape[1] + 1)).sum(axis=1).mean()


# %% ex-03-16-ladder
# expect: 0 failed "All films get the same score"
def score_next_items(histories, contexts, n_items):
    return torch.zeros(len(contexts), n_items)
