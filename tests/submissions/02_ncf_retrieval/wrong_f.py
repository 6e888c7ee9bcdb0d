# Someone who sees to the wrong end, the wrong rows or the wrong shape.
# rest: reference

# %% ex-02-8-mlp
# expect: 0 failed "not on the vectors that go in"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        self.users = nn.Embedding(n_users, layers[0] // 2)
        self.items = nn.Embedding(n_items, layers[0] // 2)
        steps = [nn.Dropout(dropout)]
        for before, after in zip(layers, layers[1:]):
            steps += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*steps, nn.Linear(layers[-1], 1))

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]


# %% ex-02-3-draw-negatives
# expect: 0 failed "np.repeat keeps the draws of a row together"
def draw_negatives(user_ids, seen, n_negatives, rng):
    users = np.tile(user_ids, n_negatives)
    items = rng.integers(seen.shape[1], size=len(users))
    while (hits := seen[users, items]).any():
        items[hits] = rng.integers(seen.shape[1], size=hits.sum())
    return items.reshape(-1, n_negatives)


# %% ex-02-4-average-rank
# expect: 0 error "target_scores[:, None]"
def average_rank(target_scores, other_scores):
    return 1 + (other_scores > target_scores).sum(axis=1) + (other_scores == target_scores).sum(axis=1) / 2


# %% ex-02-7-sampled-ranks
# expect: 0 failed "np.tile goes through all users"
def sampled_ranks(predict, train, test, n_negatives, rng):
    users, items = np.append(train.user_ids, test.user_ids), np.append(train.item_ids, test.item_ids)
    seen = SeenItems(users, items, train.n_users, train.n_items)
    candidates = np.column_stack([test.item_ids, sample_distinct_negatives(test.user_ids, seen, n_negatives, rng)])
    scores = predict(np.tile(test.user_ids, n_negatives + 1), candidates.ravel()).reshape(candidates.shape)
    return 1 + (scores[:, 1:] > scores[:, :1]).sum(axis=1) + (scores[:, 1:] == scores[:, :1]).sum(axis=1) / 2


# %% ex-02-10-fresh-pairs
# expect: 0 failed "batch_size=None"
class FreshPairs(lightning.LightningDataModule):
    def __init__(self, train, n_negatives, batch_size, rng):
        super().__init__()
        self.train, self.k, self.size, self.rng = train, n_negatives, batch_size, rng
        self.seen = SeenItems(train.user_ids, train.item_ids, train.n_users, train.n_items)

    def train_dataloader(self):
        negatives = sample_negatives(self.train.user_ids, self.seen, self.k, self.rng)
        users = np.repeat(self.train.user_ids, self.k + 1)
        items = np.column_stack([self.train.item_ids, negatives]).ravel()
        labels = np.tile(np.array([1] + [0] * self.k, dtype=np.float32), len(negatives))
        rows = TensorDataset(*(torch.from_numpy(column) for column in (users, items, labels)))
        return DataLoader(rows, sampler=BatchSampler(RandomSampler(rows), self.size, drop_last=False))


# %% ex-02-11-fit-best
# expect: 0 error "callbacks=[*callbacks, best]"
def fit_best(model, data, n_epochs, callbacks, folder):
    best = ModelCheckpoint(dirpath=folder, monitor="valid_ndcg", mode="max")
    options = {"max_epochs": n_epochs, "reload_dataloaders_every_n_epochs": 1, **TRAINER}
    lightning.Trainer(callbacks=[best], **options).fit(model, data)
    model.load_state_dict(torch.load(best.best_model_path, weights_only=False)["state_dict"])


# %% ex-02-12-catalogue-ranks
# expect: 0 failed "The number of a row of test is no user id"
def catalogue_ranks(score_users, train, test):
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    rows = np.arange(len(test.user_ids))
    scores = np.where(met[rows], -np.inf, score_users(test.user_ids))
    own = scores[rows, test.item_ids][:, None]
    return 1 + (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2


# %% ex-02-15-top-unseen
# expect: 0 failed "take its rows user_ids"
def top_unseen(score_users, user_ids, train, n):
    scores = score_users(user_ids)
    for row in range(len(user_ids)):
        scores[row, train.item_ids[train.user_ids == row]] = -np.inf
    return np.argsort(-scores, axis=1)[:, :n]
