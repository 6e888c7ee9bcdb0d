# Someone who got half-way: the data, a bag, and a first mask; the rest is untouched.
# rest: stub

# %% ex-03-1-windows
# expect: 2 ok "side by side and sliding"
def cut_history(item_ids, length, step):
    rows = []
    for end in range(len(item_ids), 0, -step):
        items = item_ids[max(end - length, 0) : end]
        rows.append(np.pad(items, (length - len(items), 0)))
    return np.stack(rows)


# %% ex-03-2-split
# expect: 1 ok "each with all interactions"
def hold_out_users(user_ids, test_fraction, rng):
    users = np.unique(user_ids)
    rng.shuffle(users)
    return np.isin(user_ids, users[: round(test_fraction * len(users))])


# %% ex-03-3-targets
# expect: 0 failed "The target is left in the input"
def inputs_and_targets(windows):
    return windows, windows[:, -1]


# %% ex-03-4-ranks
# expect: 0 failed "ties are counted optimistically"
def reciprocal_ranks(scores, targets):
    own = scores[np.arange(len(targets)), targets]
    return 1 / (1 + (scores > own[:, None]).sum(axis=1))


# %% ex-03-7-cbow
# expect: 2 ok "Padding and order change nothing"
class CBOW(nn.Module):
    def __init__(self, n_items, n_factors):
        super().__init__()
        self.items = nn.Embedding(n_items, n_factors, padding_idx=0)
        self.out = nn.Linear(n_factors, n_items)

    def forward(self, contexts):
        n_real = torch.count_nonzero(contexts, dim=1).clamp(min=1)
        return self.out(self.items(contexts).sum(1) / n_real[:, None])


# %% ex-03-10-mask
# expect: 0 failed "Padding can be looked at"
def attention_mask(contexts):
    length = contexts.shape[1]
    return torch.tril(torch.ones(len(contexts), length, length)).bool()
