# Someone with a bag where an order is asked for, and with busy users first.
# rest: reference

# %% ex-03-2-split
# expect: 0 failed "Some users are drawn more often"
def hold_out_users(user_ids, test_fraction, rng):
    shuffled = rng.permutation(user_ids)
    users, first = np.unique(shuffled, return_index=True)
    drawn = shuffled[np.sort(first)[: round(test_fraction * len(users))]]
    return np.isin(user_ids, drawn)


# %% ex-03-7-cbow
# expect: 0 failed "has moved in training"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        n_real = (contexts != 0).sum(dim=1, keepdim=True).clamp(min=1)
        return self.out(self.items.weight[contexts].sum(dim=1) / n_real)


# %% ex-03-8-bag
# expect: 0 failed "The scores come from the last items alone"
class DecayedBag(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        return self.out(self.items(contexts[:, -1]))


# %% ex-03-9-recurrent
# expect: 0 failed "The order of the earlier items is lost"
class RecurrentNet(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.last = nn.Linear(n_factors, n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        n_real = (contexts != 0).sum(dim=1, keepdim=True).clamp(min=1)
        state = self.items(contexts).sum(dim=1) / n_real + self.last(self.items(contexts[:, -1]))
        return self.out(torch.tanh(state))


# %% ex-03-12-transformer
# expect: 0 failed "The order of the earlier items is lost"
class CausalTransformer(nn.Module):
    def __init__(self, n_items, n_factors, length):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.project = nn.Linear(n_factors, 3 * n_factors)
        self.out = nn.Linear(n_factors, n_items)

    def states(self, contexts):
        x = self.items(contexts)
        q, k, v = self.project(x).chunk(3, dim=-1)
        return x + F.scaled_dot_product_attention(q, k, v, attn_mask=attention_mask(contexts))

    def forward(self, contexts):
        return self.out(self.states(contexts)[:, -1])


# %% ex-03-4-ranks
# expect: 0 failed "from the lowest score up"
def reciprocal_ranks(scores, targets):
    order = np.argsort(scores[:, 1:], axis=1) + 1
    return 1 / (1 + (order == targets[:, None]).argmax(axis=1))


# %% ex-03-6-entropy
# expect: 0 failed "no .item()"
def cross_entropy_loss(scores, targets):
    return F.cross_entropy(scores[:, 1:], targets - 1).item()


# %% ex-03-13-sampled
# expect: 0 failed "no .item()"
def sampled_softmax_loss(positive, negative):
    return F.softplus(torch.logsumexp(negative, dim=1) - positive).mean().item()


# %% ex-03-14-bpr
# expect: 0 failed "its logarithm is missing"
def bpr_loss(positive, negative):
    return -torch.sigmoid(positive[:, None] - negative).mean()


# %% ex-03-16-ladder
# expect: 3 failed "3 of 4 rungs: level with Markov counts"
def score_next_items(histories, contexts, n_items):
    """Counts alone: the nets above are of no use here."""
    users = np.concatenate([np.full(len(history), user) for user, history in enumerate(histories)])
    items = torch.cat(histories).numpy()
    return Markov().fit(users, items, n_users=len(histories), n_items=n_items).score_sequences(contexts.numpy())
