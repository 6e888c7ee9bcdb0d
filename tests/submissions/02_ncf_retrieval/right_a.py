# Someone who likes pandas and torch's own functions, and writes short.
# rest: reference

# %% ex-02-1-sample-users
# expect: 1 ok "each with all of their rows"
def sample_users(ratings, share, rng):
    ids = pd.Series(ratings["user_id"].unique()).sample(
        n=int(round(share * ratings["user_id"].nunique())), random_state=rng
    )
    return ratings.merge(ids.rename("user_id"), on="user_id")


# %% ex-02-2-leave-latest-out
# expect: 2 ok "rows in the same second"
def leave_latest_out(ratings):
    place = ratings.sort_values(["user_id", "timestamp", "position"]).groupby("user_id").tail(1).index
    return ratings.drop(place), ratings.loc[place]


# %% ex-02-3-draw-negatives
# expect: 3 ok "every unseen item as likely as any other"
def draw_negatives(user_ids, seen, n_negatives, rng):
    keys = rng.random((len(user_ids), n_negatives, seen.shape[1]))
    keys[np.broadcast_to(seen[user_ids][:, None, :], keys.shape)] = -1
    return keys.argmax(axis=2)


# %% ex-02-4-average-rank
# expect: 1 ok "equals share their average"
def average_rank(target_scores, other_scores):
    differences = np.sign(other_scores - target_scores[:, None])
    return 1 + ((differences + 1) / 2).sum(axis=1)


# %% ex-02-5-hr-ndcg
# expect: 2 ok "1 / log2(1 + r)"
def hit_rate_and_ndcg(ranks, top_k):
    hits = ranks[ranks <= top_k]
    return len(hits) / len(ranks), np.sum(np.log(2) / np.log(hits + 1)) / len(ranks)


# %% ex-02-6-item-pop
# expect: 1 ok "were never met and score 0"
def item_pop(item_ids, n_items):
    return pd.Series(item_ids).value_counts().reindex(range(n_items), fill_value=0)


# %% ex-02-7-sampled-ranks
# expect: 2 ok "in neither part"
def sampled_ranks(predict, train, test, n_negatives, rng):
    met = {}
    for part in (train, test):
        for user, item in zip(part.user_ids.tolist(), part.item_ids.tolist()):
            met.setdefault(user, set()).add(item)
    ranks = []
    for user, item in zip(test.user_ids.tolist(), test.item_ids.tolist()):
        free = [i for i in range(train.n_items) if i not in met[user]]
        others = rng.choice(free, n_negatives, replace=False)
        scores = np.asarray(predict(np.full(n_negatives + 1, user), np.append(others, item)))
        ranks.append(1 + np.sum(scores[:-1] > scores[-1]) + np.sum(scores[:-1] == scores[-1]) / 2)
    return np.array(ranks)


# %% ex-02-8-mlp
# expect: 2 ok "no sigmoid"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        self.u = nn.Embedding(n_users, layers[0] // 2)
        self.i = nn.Embedding(n_items, layers[0] // 2)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(layers[:-1], layers[1:]))
        self.drop = nn.Dropout(p=dropout)
        self.out = nn.Linear(layers[-1], 1)

    def forward(self, user_ids, item_ids):
        x = torch.cat((self.u(user_ids), self.i(item_ids)), 1)
        for layer in self.hidden:
            x = self.drop(torch.relu(layer(x)))
        return self.out(x).squeeze(-1)


# %% ex-02-9-ncf
# expect: 3 ok "16-64-32-1"
class NCF(lightning.LightningModule):
    def __init__(self, n_users, n_items, learning_rate=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.u = nn.Embedding(num_embeddings=n_users, embedding_dim=8)
        self.i = nn.Embedding(num_embeddings=n_items, embedding_dim=8)
        self.fc1 = nn.Linear(16, 64)
        self.fc2 = nn.Linear(64, 32)
        self.output = nn.Linear(32, 1)
        self.loss = nn.BCEWithLogitsLoss()

    def forward(self, user_ids, item_ids):
        x = torch.cat([self.u(user_ids), self.i(item_ids)], dim=-1)
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.output(x).flatten()

    def training_step(self, batch, batch_idx):
        users, items, labels = batch
        loss = self.loss(self(users, items), labels)
        return {"loss": loss}

    def configure_optimizers(self):
        return {"optimizer": torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)}


# %% ex-02-10-fresh-pairs
# expect: 3 ok "other negatives in the next epoch"
class FreshPairs(lightning.LightningDataModule):
    def __init__(self, train, n_negatives, batch_size, rng):
        super().__init__()
        self.args = train, n_negatives, batch_size, rng

    def train_dataloader(self):
        train, k, batch_size, rng = self.args
        seen = SeenItems(train.user_ids, train.item_ids, train.n_users, train.n_items)
        negatives = sample_negatives(train.user_ids, seen, k, rng)
        users = torch.as_tensor(np.concatenate([train.user_ids, np.repeat(train.user_ids, k)]))
        items = torch.as_tensor(np.concatenate([train.item_ids, negatives.ravel()]))
        labels = torch.zeros(len(users))
        labels[: len(train)] = 1
        return DataLoader(TensorDataset(users, items, labels), batch_size=batch_size, shuffle=True)


# %% ex-02-11-fit-best
# expect: 3 ok "the best on validation"
def fit_best(model, data, n_epochs, callbacks, folder):
    checkpoint = ModelCheckpoint(folder, filename="best", monitor="valid_ndcg", mode="max", save_weights_only=True)
    trainer = lightning.Trainer(
        max_epochs=n_epochs,
        callbacks=callbacks + [checkpoint],
        reload_dataloaders_every_n_epochs=1,
        enable_progress_bar=False,
        **TRAINER,
    )
    trainer.fit(model, datamodule=data)
    state = torch.load(checkpoint.best_model_path, weights_only=False)
    model.load_state_dict(state["state_dict"])
    return checkpoint.best_model_score


# %% ex-02-12-catalogue-ranks
# expect: 2 ok "all that their users had not met"
def catalogue_ranks(score_users, train, test):
    seen = to_matrix(train.user_ids, train.item_ids, train.n_users, train.n_items)[test.user_ids]
    return evaluation.ranks(score_users(test.user_ids), test.item_ids, seen=seen)


# %% ex-02-13-flipped-pairs
# expect: 1 ok "change places"
def flipped_pairs(sampled, full):
    a, b = pd.DataFrame(sampled).mean(), pd.DataFrame(full).mean()
    return [(x, y) for x in a.index for y in a.index if (a[x] - a[y]) > 0 and (b[y] - b[x]) > 0]


# %% ex-02-14-ladder
# expect: 4 ok "4 of 4 rungs"
def retrieve(user_ids, item_ids, n_users, n_items):
    both = [ALS(32, rng=np.random.default_rng(1)), Markov(n_lags=9)]
    scores = [m.fit(user_ids, item_ids, n_users=n_users, n_items=n_items).score_users(np.arange(n_users)) for m in both]
    return sum((s - s.mean(1, keepdims=True)) / s.std(1, keepdims=True) for s in scores)


# %% ex-02-15-top-unseen
# expect: 2 ok "nothing seen among them"
def top_unseen(score_users, user_ids, train, n):
    scores = np.array(score_users(user_ids), dtype=float)
    for row, user in enumerate(user_ids):
        scores[row, train.item_ids[train.user_ids == user]] = -np.inf
    return torch.topk(torch.as_tensor(scores), n, dim=1).indices
