# Someone who writes loops, packs sequences, and adds a bag of his own to the counts.
# rest: reference

# %% ex-03-1-windows
# expect: 2 ok "side by side and sliding"
def cut_history(item_ids, length, step):
    padded = [0] * length + list(item_ids)
    rows, end = [], len(padded)
    while end > length:
        rows.append(padded[end - length : end])
        end -= step
    return np.array(rows)


# %% ex-03-2-split
# expect: 1 ok "each with all interactions"
def hold_out_users(user_ids, test_fraction, rng):
    users = rng.permutation(sorted(set(user_ids.tolist())))
    test = set(users[: round(test_fraction * len(users))].tolist())
    return np.array([user in test for user in user_ids])


# %% ex-03-3-targets
# expect: 1 ok "not among the inputs"
def inputs_and_targets(windows):
    return windows[:, : windows.shape[1] - 1], windows.select(1, windows.shape[1] - 1)


# %% ex-03-4-ranks
# expect: 2 ok "a constant scorer gets the middle"
def reciprocal_ranks(scores, targets):
    from scipy.stats import rankdata

    places = rankdata(-scores[:, 1:], method="average", axis=1)
    return np.array([1 / row[target - 1] for row, target in zip(places, targets)])


# %% ex-03-5-counts
# expect: 2 ok "none of them with padding"
def count_next(windows, n_items):
    counts = np.zeros((n_items, n_items), dtype=int)
    for row in windows:
        items = row[row > 0]
        for place in range(1, len(items)):
            counts[items[place - 1], items[place]] += 1
    return counts


# %% ex-03-6-entropy
# expect: 1 ok "no gradient into the padding"
def cross_entropy_loss(scores, targets):
    real = scores[:, 1:]
    return (torch.logsumexp(real, dim=1) - real.gather(1, targets[:, None] - 1)[:, 0]).mean()


# %% ex-03-7-cbow
# expect: 2 ok "Padding and order change nothing"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.bag = nn.EmbeddingBag(n_items, n_factors, mode="mean", padding_idx=0)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        return self.out(self.bag(contexts))


# %% ex-03-8-bag
# expect: 2 ok "the place of every item counts"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.out = nn.Linear(n_factors, n_items)
        self.places = nn.Parameter(0.5 * torch.arange(float(length)))

    def forward(self, contexts):
        logits = self.places[-contexts.shape[1] :].expand(contexts.shape).masked_fill(contexts == 0, -1e9)
        weights = logits.softmax(dim=1) * (contexts != 0)
        return self.out(torch.einsum("bl,bld->bd", weights, self.items(contexts)))


# %% ex-03-9-recurrent
# expect: 3 ok "Padding changes nothing, order does"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.lstm = nn.LSTM(n_factors, n_factors, batch_first=True)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        n_real = (contexts != 0).sum(dim=1)
        left = torch.stack([row.roll(int(n)) for row, n in zip(contexts, n_real)])
        packed = nn.utils.rnn.pack_padded_sequence(
            self.items(left), n_real.clamp(min=1), batch_first=True, enforce_sorted=False
        )
        _, (hidden, _) = self.lstm(packed)
        return self.out(hidden[-1])


# %% ex-03-10-mask
# expect: 1 ok "later ones and padding cannot"
def attention_mask(contexts):
    n, length = contexts.shape
    mask = torch.zeros(n, length, length, dtype=torch.bool)
    for b in range(n):
        for i in range(length):
            for j in range(i + 1):
                mask[b, i, j] = i == j or contexts[b, j] != 0
    return mask


# %% ex-03-11-attention
# expect: 2 ok "the same as torch's own"
def attention(queries, keys, values, mask):
    scores = torch.einsum("bid,bjd->bij", queries, keys) / np.sqrt(keys.size(-1))
    scores = torch.where(mask, scores, torch.tensor(float("-inf")))
    weights = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
    return torch.bmm(weights / weights.sum(dim=-1, keepdim=True), values)


# %% ex-03-12-transformer
# expect: 3 ok "No later item leaks"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.places = nn.Embedding(length + 1, n_factors, padding_idx=0)
        self.q, self.k, self.v = (nn.Linear(n_factors, n_factors, bias=False) for _ in range(3))
        self.mlp = nn.Sequential(nn.Linear(n_factors, n_factors), nn.ReLU(), nn.Linear(n_factors, n_factors))
        self.out = nn.Linear(n_factors, n_items)

    def states(self, contexts):
        real = contexts != 0
        x = self.items(contexts) + self.places(real.cumsum(dim=1) * real)
        length = contexts.shape[1]
        earlier = torch.ones(length, length, dtype=torch.bool).tril()
        mask = (earlier & real[:, None, :]) | torch.eye(length, dtype=torch.bool)
        x = x + nn.functional.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x), attn_mask=mask)
        return x + self.mlp(x)

    def forward(self, contexts):
        return self.out(self.states(contexts)[:, -1, :])


# %% ex-03-13-sampled
# expect: 1 ok "negatives each"
def sampled_softmax_loss(positive, negative):
    scores = torch.cat([positive[:, None], negative], dim=1)
    return F.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.int64))


# %% ex-03-14-bpr
# expect: 1 ok "pairs: loss"
def bpr_loss(positive, negative):
    return F.softplus(negative - positive.unsqueeze(1)).mean()


# %% ex-03-15-best
# expect: 1 ok "no ranking expects more"
def best_possible_mrr(probs):
    total = 0.0
    for row in probs:
        for rank, p in enumerate(sorted(row.tolist(), reverse=True), 1):
            total += p / rank
    return total / len(probs)


# %% ex-03-16-ladder
# expect: 4 ok "4 of 4 rungs: ahead of Markov counts"
def score_next_items(histories, contexts, n_items):
    """A loop of one's own over windows, for a bag with a learnt weight for each age; the other half is counts."""
    rows = []
    for history in histories:
        for end in range(2, len(history) + 1):
            window = history[max(0, end - 10) : end]
            rows.append(F.pad(window, (10 - len(window), 0)))
    rows = torch.stack(rows)
    torch.manual_seed(2)
    items = nn.Embedding(n_items, 128, padding_idx=0)
    nn.init.normal_(items.weight, std=0.09)
    biases, ages = nn.Parameter(torch.zeros(n_items)), nn.Parameter(torch.ones(9))

    def score(given):
        weights = F.softplus(ages) * (given > 0)
        mean = (items(given) * (weights / weights.sum(1, keepdim=True).clamp(min=1e-9))[:, :, None]).sum(1)
        return mean @ items.weight.T + biases

    parameters = [*items.parameters(), biases, ages]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.1)
    for rate in (5e-3, 4e-3, 3e-3, 2e-3, 1e-3, 3e-4):
        optimizer.param_groups[0]["lr"] = rate
        for batch in torch.randperm(len(rows)).split(512):
            loss = F.cross_entropy(score(rows[batch, :-1])[:, 1:], rows[batch, -1] - 1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    users = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    counts = Markov().fit(users, torch.cat(histories).numpy(), n_users=len(histories), n_items=n_items)
    counted = torch.from_numpy(counts.score_sequences(contexts.numpy()))
    with torch.no_grad():
        return score(contexts).log_softmax(dim=1) + counted.clamp(min=1e-9).log()
