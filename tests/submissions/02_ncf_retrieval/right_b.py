# Someone who writes plain loops, returns lists, and reuses their own earlier answers.
# rest: reference

# %% ex-02-1-sample-users
# expect: 1 ok "each with all of their rows"
def sample_users(ratings, share, rng):
    users = sorted(set(ratings["user_id"]))
    keep = set(rng.permutation(users)[: round(share * len(users))].tolist())
    return ratings[[user in keep for user in ratings["user_id"]]]


# %% ex-02-2-leave-latest-out
# expect: 2 ok "rows in the same second"
def leave_latest_out(ratings):
    latest = {}
    for row in ratings.itertuples():
        best = latest.get(row.user_id)
        if best is None or (row.timestamp, row.position) > (best.timestamp, best.position):
            latest[row.user_id] = row
    held = {row.position for row in latest.values()}
    is_test = ratings["position"].isin(held)
    return [ratings[~is_test], ratings[is_test]]


# %% ex-02-3-draw-negatives
# expect: 3 ok "every unseen item as likely as any other"
def draw_negatives(user_ids, seen, n_negatives, rng):
    items = np.zeros((len(user_ids), n_negatives), dtype=int)
    for user in np.unique(user_ids):
        rows = np.flatnonzero(user_ids == user)
        items[rows] = rng.choice(np.flatnonzero(~seen[user]), (len(rows), n_negatives))
    return items


# %% ex-02-4-average-rank
# expect: 1 ok "equals share their average"
def average_rank(target_scores, other_scores):
    from scipy.stats import rankdata

    return [rankdata([-t, *(-row)])[0] for t, row in zip(target_scores, other_scores)]


# %% ex-02-5-hr-ndcg
# expect: 2 ok "1 / log2(1 + r)"
def hit_rate_and_ndcg(ranks, top_k):
    import math

    gains = [1 / math.log2(1 + rank) if rank <= top_k else 0 for rank in ranks]
    return sum(gain > 0 for gain in gains) / len(gains), sum(gains) / len(gains)


# %% ex-02-6-item-pop
# expect: 1 ok "were never met and score 0"
def item_pop(item_ids, n_items):
    counts = [0] * n_items
    for item in item_ids:
        counts[item] += 1
    return counts


# %% ex-02-7-sampled-ranks
# expect: 2 ok "in neither part"
def sampled_ranks(predict, train, test, n_negatives, rng):
    seen = np.zeros((train.n_users, train.n_items), dtype=bool)
    seen[train.user_ids, train.item_ids] = True
    seen[test.user_ids, test.item_ids] = True
    targets, others = [], []
    for user, item in zip(test.user_ids, test.item_ids):
        drawn = rng.permutation(np.flatnonzero(~seen[user]))[:n_negatives]
        targets.append(predict([user], [item])[0])
        others.append(predict([user] * n_negatives, drawn))
    return average_rank(np.array(targets), np.array(others))


# %% ex-02-8-mlp
# expect: 2 ok "no sigmoid"
class MLP(nn.Module):
    def __init__(self, n_users, n_items, layers, dropout):
        super().__init__()
        size = int(layers[0] / 2)
        self.item_table = nn.Embedding(n_items, size)
        self.user_table = nn.Embedding(n_users, size)
        modules = []
        for n in range(1, len(layers)):
            modules.append(nn.Sequential(nn.Linear(layers[n - 1], layers[n]), nn.ReLU(), nn.Dropout(dropout)))
        modules.append(nn.Linear(layers[-1], 1))
        self.net = nn.Sequential(*modules)

    def forward(self, user_ids, item_ids):
        return self.net(torch.hstack([self.item_table(item_ids), self.user_table(user_ids)])).reshape(-1)


# %% ex-02-9-ncf
# expect: 3 ok "16-64-32-1"
class NCF(lightning.LightningModule):
    def __init__(self, n_users, n_items, learning_rate=0.001):
        super().__init__()
        self.net = MLP(n_users, n_items, [16, 64, 32], 0.0)
        self.lr = learning_rate

    def forward(self, user_ids, item_ids):
        return self.net(user_ids, item_ids)

    def training_step(self, batch, batch_idx):
        scores = self.forward(batch[0], batch[1])
        loss = (nn.functional.softplus(scores) - batch[2] * scores).mean()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return [torch.optim.Adam(list(self.parameters()), self.lr)]


# %% ex-02-10-fresh-pairs
# expect: 3 ok "other negatives in the next epoch"
class FreshPairs(lightning.LightningDataModule):
    def __init__(self, train, n_negatives, batch_size, rng):
        super().__init__()
        self.train, self.k, self.size, self.rng = train, n_negatives, batch_size, rng
        self.seen = np.zeros((train.n_users, train.n_items), dtype=bool)
        self.seen[train.user_ids, train.item_ids] = True

    def train_dataloader(self):
        negatives = draw_negatives(self.train.user_ids, self.seen, self.k, self.rng)
        rows = [(u, i, 1.0) for u, i in zip(self.train.user_ids, self.train.item_ids)]
        rows += [(u, j, 0.0) for u, row in zip(self.train.user_ids, negatives) for j in row]
        order = self.rng.permutation(len(rows))
        batches = []
        for start in range(0, len(rows), self.size):
            users, items, labels = zip(*[rows[place] for place in order[start : start + self.size]])
            batches.append((torch.tensor(users), torch.tensor(items), torch.tensor(labels, dtype=torch.float32)))
        return batches


# %% ex-02-11-fit-best
# expect: 3 ok "the best on validation"
def fit_best(model, data, n_epochs, callbacks, folder):
    from copy import deepcopy

    class Keep(lightning.Callback):
        best, weights = -1.0, None

        def on_train_epoch_end(self, trainer, pl_module):
            value = float(trainer.callback_metrics["valid_ndcg"])
            if value > self.best:
                self.best, self.weights = value, deepcopy(pl_module.state_dict())

    keep = Keep()
    options = {"max_epochs": n_epochs, "enable_checkpointing": False, "reload_dataloaders_every_n_epochs": 1}
    lightning.Trainer(callbacks=[*callbacks, keep], **options, **TRAINER).fit(model, data)
    model.load_state_dict(keep.weights)


# %% ex-02-12-catalogue-ranks
# expect: 2 ok "all that their users had not met"
def catalogue_ranks(score_users, train, test):
    ranks = []
    for user, item in zip(test.user_ids, test.item_ids):
        scores = score_users(np.array([user]))[0]
        others = np.delete(scores, np.append(train.item_ids[train.user_ids == user], item))
        ranks.append(1 + sum(others > scores[item]) + 0.5 * sum(others == scores[item]))
    return ranks


# %% ex-02-13-flipped-pairs
# expect: 1 ok "change places"
def flipped_pairs(sampled, full):
    from itertools import combinations

    found = []
    for one, other in combinations(sampled, 2):
        by_sampled = np.sum(sampled[one]) - np.sum(sampled[other])
        by_full = np.sum(full[one]) - np.sum(full[other])
        if by_sampled * by_full < 0:
            found.append((one, other) if by_sampled > 0 else (other, one))
    return found


# %% ex-02-14-ladder
# expect: 4 ok "4 of 4 rungs"
def retrieve(user_ids, item_ids, n_users, n_items):
    def standard(scores):
        return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)

    everybody = np.arange(n_users)
    als = ALS(n_factors=24, rng=np.random.default_rng(3)).fit(user_ids, item_ids, n_users=n_users, n_items=n_items)
    last = Markov(n_lags=7).fit(user_ids, item_ids, n_users=n_users, n_items=n_items)
    scores = torch.as_tensor(0.9 * standard(als.score_users(everybody)) + standard(last.score_users(everybody)))
    scores[user_ids, item_ids] = -torch.inf
    return scores


# %% ex-02-15-top-unseen
# expect: 2 ok "nothing seen among them"
def top_unseen(score_users, user_ids, train, n):
    lists = []
    for user, scores in zip(user_ids, score_users(user_ids)):
        met = set(train.item_ids[train.user_ids == user].tolist())
        order = [item for item in np.argsort(scores)[::-1] if item not in met]
        lists.append(order[:n])
    return lists
