# Someone who is nearly there: a tie, a base, a mode, a mask, one redraw.
# rest: reference

# %% ex-02-1-sample-users
# expect: 0 failed "draw from the different ones"
def sample_users(ratings, share, rng):
    n = round(share * ratings["user_id"].nunique())
    return ratings[ratings["user_id"].isin(rng.choice(ratings["user_id"], n))]


# %% ex-02-2-leave-latest-out
# expect: 0 failed "the lowest in the table"
def leave_latest_out(ratings):
    in_time = ratings.sort_values("timestamp", kind="stable")
    last = ~in_time.duplicated("user_id", keep="last")
    return in_time[~last], in_time[last]


# %% ex-02-3-draw-negatives
# expect: 0 failed "a second draw may hit, too"
def draw_negatives(user_ids, seen, n_negatives, rng):
    users = np.repeat(user_ids, n_negatives)
    items = rng.integers(seen.shape[1], size=len(users))
    hits = seen[users, items]
    items[hits] = rng.integers(seen.shape[1], size=hits.sum())
    return items.reshape(-1, n_negatives)


# %% ex-02-4-average-rank
# expect: 0 failed "the best of their places"
def average_rank(target_scores, other_scores):
    return 1 + (other_scores > target_scores[:, None]).sum(axis=1)


# %% ex-02-5-hr-ndcg
# expect: 1 failed "that is the natural logarithm"
def hit_rate_and_ndcg(ranks, top_k):
    hits = ranks <= top_k
    return hits.mean(), np.where(hits, 1 / np.log(1 + ranks), 0).mean()


# %% ex-02-6-item-pop
# expect: 0 failed "Items that were never met are missing"
def item_pop(item_ids, n_items):
    return np.unique(item_ids, return_counts=True)[1]


# %% ex-02-7-sampled-ranks
# expect: 0 failed "leave out train's items as well"
def sampled_ranks(predict, train, test, n_negatives, rng):
    ranks = []
    for user, item in zip(test.user_ids, test.item_ids):
        others = rng.choice(np.delete(np.arange(train.n_items), item), n_negatives, replace=False)
        scores = predict(np.full(n_negatives + 1, user), np.append(item, others))
        ranks.append(1 + np.sum(scores[1:] > scores[0]) + np.sum(scores[1:] == scores[0]) / 2)
    return np.array(ranks)


# %% ex-02-8-mlp
# expect: 0 failed "The ReLU is missing"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        self.users = nn.Embedding(n_users, layers[0] // 2)
        self.items = nn.Embedding(n_items, layers[0] // 2)
        steps = []
        for before, after in zip(layers, layers[1:]):
            steps += [nn.Linear(before, after), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*steps, nn.Linear(layers[-1], 1))

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]


# %% ex-02-9-ncf
# expect: 2 failed "Sigmoid twice"
class NCF(lightning.LightningModule):
    def __init__(self, n_users, n_items, learning_rate=1e-3):
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, 8), nn.Embedding(n_items, 8)
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self.learning_rate = learning_rate

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]

    def training_step(self, batch, batch_idx):
        user_ids, item_ids, labels = batch
        probs = torch.sigmoid(self(user_ids, item_ids))
        return nn.functional.binary_cross_entropy_with_logits(probs, labels)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)


# %% ex-02-10-fresh-pairs
# expect: 0 failed "np.repeat keeps a user's rows together"
class FreshPairs(lightning.LightningDataModule):
    def __init__(self, train, n_negatives, batch_size, rng):
        super().__init__()
        self.train, self.k, self.size, self.rng = train, n_negatives, batch_size, rng
        self.seen = SeenItems(train.user_ids, train.item_ids, train.n_users, train.n_items)

    def train_dataloader(self):
        negatives = sample_negatives(self.train.user_ids, self.seen, self.k, self.rng)
        users = np.append(self.train.user_ids, np.tile(self.train.user_ids, self.k))
        items = np.append(self.train.item_ids, negatives.ravel())
        labels = (np.arange(len(users)) < len(self.train)).astype(np.float32)
        rows = TensorDataset(*(torch.from_numpy(column) for column in (users, items, labels)))
        return DataLoader(rows, batch_size=self.size, shuffle=True)


# %% ex-02-11-fit-best
# expect: 1 failed "was chosen with the answers in hand"
def fit_best(model, data, n_epochs, callbacks, folder):
    best = ModelCheckpoint(dirpath=folder, monitor="test_ndcg", mode="max")
    options = {"max_epochs": n_epochs, "reload_dataloaders_every_n_epochs": 1, **TRAINER}
    lightning.Trainer(callbacks=[*callbacks, best], **options).fit(model, data)
    model.load_state_dict(torch.load(best.best_model_path, weights_only=False)["state_dict"])


# %% ex-02-12-catalogue-ranks
# expect: 0 failed "Seen items got a score of 0"
def catalogue_ranks(score_users, train, test):
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = score_users(test.user_ids) * ~met[test.user_ids]
    own = scores[np.arange(len(scores)), test.item_ids][:, None]
    return 1 + (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2


# %% ex-02-13-flipped-pairs
# expect: 0 failed "A tie is no flip"
def flipped_pairs(sampled, full):
    found = []
    for a in sampled:
        for b in sampled:
            s, f = sampled[a].mean() - sampled[b].mean(), full[b].mean() - full[a].mean()
            if s >= 0 and f >= 0 and s + f > 0:
                found.append((a, b))
    return found


# %% ex-02-14-ladder
# expect: 0 failed "a higher score is a better one"
def retrieve(user_ids, item_ids, n_users, n_items):
    return -Markov().fit(user_ids, item_ids, n_users=n_users, n_items=n_items).score_users(np.arange(n_users))


# %% ex-02-15-top-unseen
# expect: 0 failed "all other scores are negative"
def top_unseen(score_users, user_ids, train, n):
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = np.where(met[user_ids], 0.0, score_users(user_ids))
    return np.argsort(-scores, axis=1)[:, :n]
