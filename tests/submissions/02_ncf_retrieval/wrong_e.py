# Someone whose answers look right at a glance: what is off shows on unequal users, long lists, or rare ids alone.
# rest: reference

# %% ex-02-1-sample-users
# expect: 0 failed "whoever has many rows comes more often"
def sample_users(ratings, share, rng):
    n = round(share * ratings["user_id"].nunique())
    drawn = pd.unique(rng.permutation(ratings["user_id"]))[:n]
    return ratings[ratings["user_id"].isin(drawn)]


# %% ex-02-2-leave-latest-out
# expect: 1 failed "no inplace=True"
def leave_latest_out(ratings):
    ratings.sort_values(["timestamp", "position"], inplace=True)
    is_earlier = ratings.duplicated("user_id", keep="last")
    return ratings[is_earlier], ratings[~is_earlier]


# %% ex-02-7-sampled-ranks
# expect: 0 failed "Items that nobody has met are candidates, too"
def sampled_ranks(predict, train, test, n_negatives, rng):
    n_items = train.item_ids.max() + 1
    ranks = []
    for user, item in zip(test.user_ids, test.item_ids):
        met = np.append(train.item_ids[train.user_ids == user], item)
        others = rng.choice(np.setdiff1d(np.arange(n_items), met), n_negatives, replace=False)
        scores = predict(np.full(n_negatives + 1, user), np.append(item, others))
        ranks.append(1 + np.sum(scores[1:] > scores[0]) + np.sum(scores[1:] == scores[0]) / 2)
    return np.array(ranks)


# %% ex-02-8-mlp
# expect: 0 failed "the layer of 6 has none"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        self.users = nn.Embedding(n_users, layers[0] // 2)
        self.items = nn.Embedding(n_items, layers[0] // 2)
        steps = []
        for before, after in zip(layers, layers[1:]):
            steps += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*steps[:-1], nn.Linear(layers[-1], 1))

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.items(item_ids), self.users(user_ids)], dim=-1))[:, 0]


# %% ex-02-12-catalogue-ranks
# expect: 1 failed "write -np.inf into a copy"
def catalogue_ranks(score_users, train, test):
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = score_users(test.user_ids)
    scores[met[test.user_ids]] = -np.inf
    own = scores[np.arange(len(scores)), test.item_ids][:, None]
    return 1 + (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2


# %% ex-02-13-flipped-pairs
# expect: 0 failed "Pairs are missing"
def flipped_pairs(sampled, full):
    order = sorted(sampled, key=lambda name: sampled[name].mean(), reverse=True)
    return [
        (a, b) for a, b in pairwise(order) if sampled[a].mean() > sampled[b].mean() and full[a].mean() < full[b].mean()
    ]


# %% ex-02-15-top-unseen
# expect: 0 failed "their order is not"
def top_unseen(score_users, user_ids, train, n):
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = np.where(met[user_ids], -np.inf, score_users(user_ids))
    return np.argpartition(-scores, n, axis=1)[:, :n]
