# Someone who mixes up rows, columns and parts: users for items, train for test, the first for the last.
# rest: reference

# %% ex-02-1-sample-users
# expect: 0 failed "always the same"
def sample_users(ratings, share, rng):
    users = ratings["user_id"].unique()
    return ratings[ratings["user_id"].isin(users[: round(share * len(users))])]


# %% ex-02-2-leave-latest-out
# expect: 0 failed "the file is not in order of time"
def leave_latest_out(ratings):
    in_order = ratings.sort_values("position")
    last = ~in_order.duplicated("user_id", keep="last")
    return in_order[~last], in_order[last]


# %% ex-02-3-draw-negatives
# expect: 0 error "users are its rows"
def draw_negatives(user_ids, seen, n_negatives, rng):
    items = rng.integers(seen.shape[0], size=(len(user_ids), n_negatives))
    while True:
        hits = seen[items, user_ids[:, None]]
        if not hits.any():
            return items
        items[hits] = rng.integers(seen.shape[0], size=hits.sum())


# %% ex-02-4-average-rank
# expect: 0 failed "yours counts the lower ones"
def average_rank(target_scores, other_scores):
    better = (other_scores < target_scores[:, None]).sum(axis=1)
    return 1 + better + (other_scores == target_scores[:, None]).sum(axis=1) / 2


# %% ex-02-5-hr-ndcg
# expect: 0 failed "A rank of exactly top_k"
def hit_rate_and_ndcg(ranks, top_k):
    hits = ranks < top_k
    return hits.mean(), np.where(hits, 1 / np.log2(1 + ranks), 0).mean()


# %% ex-02-6-item-pop
# expect: 0 failed "Whether an item was met at all"
def item_pop(item_ids, n_items):
    return np.isin(np.arange(n_items), item_ids).astype(int)


# %% ex-02-7-sampled-ranks
# expect: 0 failed "The targets are the test items"
def sampled_ranks(predict, train, test, n_negatives, rng):
    users, items = np.append(train.user_ids, test.user_ids), np.append(train.item_ids, test.item_ids)
    seen = SeenItems(users, items, train.n_users, train.n_items)
    others = sample_distinct_negatives(train.user_ids, seen, n_negatives, rng)
    candidates = np.column_stack([train.item_ids, others])
    scores = predict(np.repeat(train.user_ids, n_negatives + 1), candidates.ravel()).reshape(candidates.shape)
    return 1 + (scores[:, 1:] > scores[:, :1]).sum(axis=1) + (scores[:, 1:] == scores[:, :1]).sum(axis=1) / 2


# %% ex-02-8-mlp
# expect: 0 error "are the two swapped"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        self.users = nn.Embedding(n_users, layers[0] // 2)
        self.items = nn.Embedding(n_items, layers[0] // 2)
        steps = []
        for before, after in zip(layers, layers[1:]):
            steps += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*steps, nn.Linear(layers[-1], 1))

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(item_ids), self.items(user_ids)], dim=-1))[:, 0]


# %% ex-02-9-ncf
# expect: 0 error "are the two swapped"
class NCF(lightning.LightningModule):
    def __init__(self, n_users, n_items, learning_rate=1e-3):
        super().__init__()
        self.users, self.items = nn.Embedding(n_items, 8), nn.Embedding(n_users, 8)
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self.learning_rate = learning_rate

    def forward(self, user_ids, item_ids):
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]

    def training_step(self, batch, batch_idx):
        user_ids, item_ids, labels = batch
        return nn.functional.binary_cross_entropy_with_logits(self(user_ids, item_ids), labels)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)


# %% ex-02-10-fresh-pairs
# expect: 0 failed "a batch holds the rows of few users"
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
        return DataLoader(rows, batch_size=self.size)


# %% ex-02-11-fit-best
# expect: 1 failed "the last epoch's weights"
def fit_best(model, data, n_epochs, callbacks, folder):
    best = ModelCheckpoint(dirpath=folder, monitor="valid_ndcg", mode="max")
    options = {"max_epochs": n_epochs, "reload_dataloaders_every_n_epochs": 1, **TRAINER}
    lightning.Trainer(callbacks=[*callbacks, best], **options).fit(model, data)


# %% ex-02-12-catalogue-ranks
# expect: 0 failed "Ties share their average rank"
def catalogue_ranks(score_users, train, test):
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = np.where(met[test.user_ids], -np.inf, score_users(test.user_ids))
    own = scores[np.arange(len(scores)), test.item_ids][:, None]
    return 1.0 + (scores > own).sum(axis=1)


# %% ex-02-13-flipped-pairs
# expect: 0 failed "Pairs are missing"
def flipped_pairs(sampled, full):
    best, other = (max(hits, key=lambda name: hits[name].mean()) for hits in (sampled, full))
    return [(best, other)] if best != other else []


# %% ex-02-14-ladder
# expect: 0 failed "Far below popularity"
def retrieve(user_ids, item_ids, n_users, n_items):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_users, 8)) @ rng.normal(size=(8, n_items))


# %% ex-02-15-top-unseen
# expect: 0 failed "no item ids"
def top_unseen(score_users, user_ids, train, n):
    lists = []
    for user, scores in zip(user_ids, score_users(user_ids)):
        candidates = np.setdiff1d(np.arange(train.n_items), train.item_ids[train.user_ids == user])
        lists.append(np.argsort(-scores[candidates])[:n])
    return np.array(lists)
