# Someone who is nearly there: one thing is missing in each answer.
# rest: stub

# %% ex-03-1-windows
# expect: 0 failed "whatever the step is"
def cut_history(item_ids, length, step):
    rows = []
    for end in range(len(item_ids), 0, -length):
        items = item_ids[max(end - length, 0) : end]
        rows.append(np.pad(items, (length - len(items), 0)))
    return np.stack(rows)


# %% ex-03-2-split
# expect: 0 failed "number of different users"
def hold_out_users(user_ids, test_fraction, rng):
    users = np.unique(user_ids)
    return np.isin(user_ids, rng.choice(users, int(test_fraction * len(users)) - 1, replace=False))


# %% ex-03-4-ranks
# expect: 0 failed "One number a row"
def reciprocal_ranks(scores, targets):
    own = scores[np.arange(len(targets)), targets][:, None]
    better = (scores[:, 1:] > own).sum(axis=1)
    equal = (scores[:, 1:] == own).sum(axis=1) - 1
    return (1 / (1 + better + equal / 2)).mean()


# %% ex-03-5-counts
# expect: 0 failed "the first of the next"
def count_next(windows, n_items):
    items = windows[windows > 0]
    counts = np.zeros((n_items, n_items))
    np.add.at(counts, (items[:-1], items[1:]), 1)
    return counts


# %% ex-03-6-entropy
# expect: 0 failed "which never form the ratio"
def cross_entropy_loss(scores, targets):
    weights = scores[:, 1:].exp()
    probs = weights / weights.sum(dim=1, keepdim=True)
    return -probs.gather(1, targets[:, None] - 1).log().mean()


# %% ex-03-7-cbow
# expect: 0 failed "A gradient must reach every parameter"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        n_real = (contexts != 0).sum(dim=1, keepdim=True).clamp(min=1)
        return self.out(self.items(contexts).detach().sum(dim=1) / n_real)


# %% ex-03-8-bag
# expect: 0 failed "A gradient must reach every parameter"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.logits = nn.Parameter(torch.linspace(-2, 0, length))
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        weights = self.logits.data[-contexts.shape[1] :].exp() * (contexts != 0)
        weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-6)
        return self.out((weights[:, :, None] * self.items(contexts)).sum(dim=1))


# %% ex-03-9-recurrent
# expect: 0 error "an empty context has 0"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.gru = nn.GRU(n_factors, n_factors, batch_first=True)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        left = torch.stack([torch.cat([row[row != 0], row[row == 0]]) for row in contexts])
        n_real = (contexts != 0).sum(dim=1)
        packed = nn.utils.rnn.pack_padded_sequence(self.items(left), n_real, batch_first=True, enforce_sorted=False)
        return self.out(self.gru(packed)[1][0])


# %% ex-03-10-mask
# expect: 0 failed "Later items can be seen"
def attention_mask(contexts):
    length = contexts.shape[1]
    real = (contexts != 0)[:, None, :].expand(-1, length, -1)
    return real | torch.eye(length, dtype=torch.bool)


# %% ex-03-11-attention
# expect: 0 failed "it runs over those that are looked at"
def attention(queries, keys, values, mask):
    scores = queries @ keys.transpose(-2, -1) / queries.shape[-1] ** 0.5
    return scores.masked_fill(~mask, -torch.inf).softmax(dim=1) @ values


# %% ex-03-12-transformer
# expect: 0 failed "numbered from the left edge"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.places = nn.Embedding(length, n_factors)
        self.project = nn.Linear(n_factors, 3 * n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def states(self, contexts):
        length = contexts.shape[1]
        x = self.items(contexts) + self.places(torch.arange(length))
        q, k, v = self.project(x).chunk(3, dim=-1)
        earlier = torch.ones(length, length, dtype=torch.bool).tril()
        mask = (earlier & (contexts != 0)[:, None, :]) | torch.eye(length, dtype=torch.bool)
        return x + F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

    def forward(self, contexts):
        return self.out(self.states(contexts)[:, -1])


# %% ex-03-13-sampled
# expect: 0 failed "That is the sum over the rows"
def sampled_softmax_loss(positive, negative):
    return (torch.cat([positive[:, None], negative], dim=1).logsumexp(dim=1) - positive).sum()


# %% ex-03-14-bpr
# expect: 0 failed "averaged before they are compared"
def bpr_loss(positive, negative):
    return -F.logsigmoid(positive - negative.mean(dim=1)).mean()


# %% ex-03-15-best
# expect: 0 failed "return their mean"
def best_possible_mrr(probs):
    return (np.sort(probs, axis=1)[:, ::-1] / np.arange(1, probs.shape[1] + 1)).sum(axis=1)
