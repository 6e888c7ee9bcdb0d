# Someone in whose answers one thing of many is off: a seed, an order, a sum, a rate, a direction.
# rest: reference

# %% ex-02-1-sample-users
# expect: 0 failed "always the same"
def sample_users(ratings, share, rng):
    users = ratings["user_id"].unique()
    drawn = np.random.default_rng(123).choice(users, round(share * len(users)), replace=False)
    return ratings[ratings["user_id"].isin(drawn)]


# %% ex-02-2-leave-latest-out
# expect: 0 failed "is by time"
def leave_latest_out(ratings):
    place = ratings.groupby("user_id").sample(1, random_state=0).index
    return ratings.drop(place), ratings.loc[place]


# %% ex-02-3-draw-negatives
# expect: 0 failed "instead of a new draw favours some"
def draw_negatives(user_ids, seen, n_negatives, rng):
    users = np.repeat(user_ids, n_negatives)
    items = rng.integers(seen.shape[1], size=len(users))
    while seen[users, items].any():
        items = np.where(seen[users, items], (items + 1) % seen.shape[1], items)
    return items.reshape(-1, n_negatives)


# %% ex-02-4-average-rank
# expect: 0 failed "the worst of their places"
def average_rank(target_scores, other_scores):
    return 1 + (other_scores >= target_scores[:, None]).sum(axis=1)


# %% ex-02-5-hr-ndcg
# expect: 1 failed "a miss is a 0 that counts"
def hit_rate_and_ndcg(ranks, top_k):
    hits = ranks <= top_k
    return hits.mean(), np.mean(1 / np.log2(1 + ranks[hits])) if hits.any() else 0.0


# %% ex-02-6-item-pop
# expect: 0 failed "score i belongs to item i"
def item_pop(item_ids, n_items):
    return np.sort(np.bincount(item_ids, minlength=n_items))[::-1]


# %% ex-02-7-sampled-ranks
# expect: 0 error "are they swapped"
def sampled_ranks(predict, train, test, n_negatives, rng):
    users, items = np.append(train.user_ids, test.user_ids), np.append(train.item_ids, test.item_ids)
    seen = SeenItems(users, items, train.n_users, train.n_items)
    candidates = np.column_stack([test.item_ids, sample_distinct_negatives(test.user_ids, seen, n_negatives, rng)])
    scores = predict(candidates.ravel(), np.repeat(test.user_ids, n_negatives + 1)).reshape(candidates.shape)
    return 1 + (scores[:, 1:] > scores[:, :1]).sum(axis=1) + (scores[:, 1:] == scores[:, :1]).sum(axis=1) / 2


# %% ex-02-8-mlp
# expect: 0 failed "each has half of it"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        self.users = nn.Embedding(n_users, layers[0])
        self.items = nn.Embedding(n_items, layers[0])
        sizes = [2 * layers[0], *layers[1:]]
        steps = []
        for before, after in zip(sizes, sizes[1:]):
            steps += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*steps, nn.Linear(layers[-1], 1))

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]


# %% ex-02-9-ncf
# expect: 2 failed "the setting is never used"
class NCF(lightning.LightningModule):
    def __init__(self, n_users, n_items, learning_rate=1e-3):
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, 8), nn.Embedding(n_items, 8)
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]

    def training_step(self, batch, batch_idx):
        user_ids, item_ids, labels = batch
        return nn.functional.binary_cross_entropy_with_logits(self(user_ids, item_ids), labels)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


# %% ex-02-10-fresh-pairs
# expect: 0 failed "that are in train"
class FreshPairs(lightning.LightningDataModule):
    def __init__(self, train, n_negatives, batch_size, rng):
        super().__init__()
        self.train, self.k, self.size, self.rng = train, n_negatives, batch_size, rng

    def train_dataloader(self):
        negatives = self.rng.integers(self.train.n_items, size=(len(self.train), self.k))
        users = np.repeat(self.train.user_ids, self.k + 1)
        items = np.column_stack([self.train.item_ids, negatives]).ravel()
        labels = np.tile(np.array([1] + [0] * self.k, dtype=np.float32), len(negatives))
        rows = TensorDataset(*(torch.from_numpy(column) for column in (users, items, labels)))
        return DataLoader(rows, batch_size=self.size, shuffle=True)


# %% ex-02-11-fit-best
# expect: 1 failed "higher is better"
def fit_best(model, data, n_epochs, callbacks, folder):
    best = ModelCheckpoint(dirpath=folder, monitor="valid_ndcg")
    options = {"max_epochs": n_epochs, "reload_dataloaders_every_n_epochs": 1, **TRAINER}
    lightning.Trainer(callbacks=[*callbacks, best], **options).fit(model, data)
    model.load_state_dict(torch.load(best.best_model_path, weights_only=False)["state_dict"])


# %% ex-02-12-catalogue-ranks
# expect: 0 failed "Ranks start at 1"
def catalogue_ranks(score_users, train, test):
    seen = to_matrix(train.user_ids, train.item_ids, train.n_users, train.n_items)[test.user_ids]
    return evaluation.ranks(score_users(test.user_ids), test.item_ids, seen=seen) - 1


# %% ex-02-13-flipped-pairs
# expect: 0 failed "on which the two agree"
def flipped_pairs(sampled, full):
    return [
        (a, b)
        for a in sampled
        for b in sampled
        if sampled[a].mean() > sampled[b].mean() and full[a].mean() > full[b].mean()
    ]


# %% ex-02-14-ladder
# expect: 0 failed "One row for each user"
def retrieve(user_ids, item_ids, n_users, n_items):
    return Markov().fit(user_ids, item_ids, n_users=n_users, n_items=n_items).score_users(np.arange(n_users)).T


# %% ex-02-15-top-unseen
# expect: 0 failed "from its lower end"
def top_unseen(score_users, user_ids, train, n):
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = np.where(met[user_ids], np.inf, score_users(user_ids))
    return np.argsort(scores, axis=1)[:, :n]
