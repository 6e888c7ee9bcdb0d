# Someone who follows the published tutorials to the letter, slips and all.
# rest: reference

# %% ex-02-1-sample-users
# expect: 0 failed "Draw users, not rows"
def sample_users(ratings, share, rng):
    return ratings.sample(frac=share, random_state=rng)


# %% ex-02-2-leave-latest-out
# expect: 0 failed "the topmost in the table"
def leave_latest_out(ratings):
    rank = ratings.groupby("user_id")["timestamp"].rank(method="first", ascending=False)
    return ratings[rank > 1], ratings[rank == 1]


# %% ex-02-3-draw-negatives
# expect: 0 failed "The first or last item never comes up"
def draw_negatives(user_ids, seen, n_negatives, rng):
    items = np.zeros((len(user_ids), n_negatives), dtype=int)
    open_ = np.ones(items.shape, dtype=bool)
    while open_.any():
        items[open_] = rng.integers(1, seen.shape[1], open_.sum())
        open_ = seen[user_ids[:, None], items]
    return items


# %% ex-02-4-average-rank
# expect: 0 failed "Ranks start at 1"
def average_rank(target_scores, other_scores):
    better = (other_scores > target_scores[:, None]).sum(axis=1)
    return better + (other_scores == target_scores[:, None]).sum(axis=1) / 2


# %% ex-02-5-hr-ndcg
# expect: 1 failed "takes ranks to start at 0"
def hit_rate_and_ndcg(ranks, top_k):
    hits = ranks <= top_k
    return hits.mean(), np.where(hits, np.log(2) / np.log(ranks + 2), 0).mean()


# %% ex-02-6-item-pop
# expect: 0 failed "minlength=n_items"
def item_pop(item_ids, n_items):
    return np.bincount(item_ids)


# %% ex-02-7-sampled-ranks
# expect: 0 failed "Negatives repeat within a user"
def sampled_ranks(predict, train, test, n_negatives, rng):
    users, items = np.append(train.user_ids, test.user_ids), np.append(train.item_ids, test.item_ids)
    seen = SeenItems(users, items, train.n_users, train.n_items)
    others = sample_negatives(test.user_ids, seen, n_negatives, rng)
    candidates = np.column_stack([test.item_ids, others])
    scores = predict(np.repeat(test.user_ids, n_negatives + 1), candidates.ravel()).reshape(candidates.shape)
    return 1 + (scores[:, 1:] > scores[:, :1]).sum(axis=1) + (scores[:, 1:] == scores[:, :1]).sum(axis=1) / 2


# %% ex-02-8-mlp
# expect: 0 failed "Return the logit"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        self.users = nn.Embedding(n_users, layers[0] // 2)
        self.items = nn.Embedding(n_items, layers[0] // 2)
        steps = []
        for before, after in zip(layers, layers[1:]):
            steps += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*steps, nn.Linear(layers[-1], 1), nn.Sigmoid())

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]


# %% ex-02-9-ncf
# expect: 0 failed "Return the logit"
class NCF(lightning.LightningModule):
    def __init__(self, n_users, n_items, learning_rate=1e-3):
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, 8), nn.Embedding(n_items, 8)
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self.learning_rate = learning_rate

    def forward(self, user_ids, item_ids):
        return torch.sigmoid(self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0])

    def training_step(self, batch, batch_idx):
        user_ids, item_ids, labels = batch
        return nn.functional.binary_cross_entropy(self(user_ids, item_ids), labels)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)


# %% ex-02-10-fresh-pairs
# expect: 1 failed "Negatives frozen across epochs"
class FreshPairs(lightning.LightningDataModule):
    def __init__(self, train, n_negatives, batch_size, rng):
        super().__init__()
        seen = SeenItems(train.user_ids, train.item_ids, train.n_users, train.n_items)
        negatives = sample_negatives(train.user_ids, seen, n_negatives, rng)
        users = np.repeat(train.user_ids, n_negatives + 1)
        items = np.column_stack([train.item_ids, negatives]).ravel()
        labels = np.tile(np.array([1] + [0] * n_negatives, dtype=np.float32), len(negatives))
        self.rows = TensorDataset(*(torch.from_numpy(column) for column in (users, items, labels)))
        self.batch_size = batch_size

    def train_dataloader(self):
        return DataLoader(self.rows, batch_size=self.batch_size, shuffle=True)


# %% ex-02-11-fit-best
# expect: 2 failed "reload_dataloaders_every_n_epochs=1"
def fit_best(model, data, n_epochs, callbacks, folder):
    best = ModelCheckpoint(dirpath=folder, monitor="valid_ndcg", mode="max")
    lightning.Trainer(max_epochs=n_epochs, callbacks=[*callbacks, best], **TRAINER).fit(model, data)
    model.load_state_dict(torch.load(best.best_model_path, weights_only=False)["state_dict"])


# %% ex-02-12-catalogue-ranks
# expect: 0 failed "Seen items compete"
def catalogue_ranks(score_users, train, test):
    return evaluation.ranks(score_users(test.user_ids), test.item_ids)


# %% ex-02-13-flipped-pairs
# expect: 0 failed "Each pair is turned round"
def flipped_pairs(sampled, full):
    names = list(sampled)
    return [
        (b, a)
        for a in names
        for b in names
        if sampled[a].mean() > sampled[b].mean() and full[a].mean() < full[b].mean()
    ]


# %% ex-02-14-ladder
# expect: 0 failed "Every user has the same scores"
def retrieve(user_ids, item_ids, n_users, n_items):
    return np.tile(np.bincount(item_ids, minlength=n_items), (n_users, 1))


# %% ex-02-15-top-unseen
# expect: 0 failed "Films that the user has seen are recommended"
def top_unseen(score_users, user_ids, train, n):
    return np.argsort(-score_users(user_ids), axis=1)[:, :n]
