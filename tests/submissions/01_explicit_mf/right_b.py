# Someone who thinks in classes, copies whole models, and averages two factorisations for the ladder.
# rest: reference

# %% ex-01-1-rmse
# expect: 1 ok "RMSE"
def rmse_by_hand(model, user_ids, item_ids, ratings):
    import math

    predictions = model.predict(user_ids, item_ids)
    return math.sqrt(sum((float(p) - float(r)) ** 2 for p, r in zip(predictions, ratings)) / len(ratings))


# %% ex-01-2-lookup
# expect: 1 ok "repeats and both ends"
def embedding_lookup(table, ids):
    return torch.stack([table[i] for i in ids.tolist()])


# %% ex-01-3-dot
# expect: 1 ok "a batch of one keeps its shape"
def dot_scores(user_vectors, item_vectors):
    return torch.bmm(user_vectors[:, None, :], item_vectors[:, :, None])[:, 0, 0]


# %% ex-01-4-mf
# expect: 2 ok "the number of factors"
class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        # one table for both: the items' rows come after the users'
        self.n_users = n_users
        self.rows = nn.Embedding(n_users + n_items, n_factors)
        nn.init.uniform_(self.rows.weight, 0, 0.05)

    def forward(self, user_ids, item_ids):
        return nn.functional.linear(
            self.rows(user_ids) * self.rows(item_ids + self.n_users), torch.ones(1, self.rows.embedding_dim)
        )[:, 0]


# %% ex-01-5-epoch
# expect: 2 ok "the mean over all rows"
def train_epoch(model, optimizer, batches):
    losses, sizes = [], []
    model.train(True)
    for batch in batches:
        loss = nn.MSELoss()(model(batch[0], batch[1]), batch[2])
        loss.backward()
        optimizer.step()
        model.zero_grad()
        losses.append(loss.item())
        sizes.append(batch[2].shape[0])
    return np.average(losses, weights=sizes)


# %% ex-01-6-evaluate
# expect: 1 ok "without dropout and without gradients"
def evaluate_rmse(model, user_ids, item_ids, ratings):
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        score = torch.sqrt(nn.functional.mse_loss(model(user_ids, item_ids), ratings))
    model.train(was_training)
    return float(score)


# %% ex-01-7-fit
# expect: 1 ok "each measured after it"
def fit(train_one_epoch, measures, n_epochs):
    from collections import defaultdict

    history, epoch = defaultdict(list), 0
    while epoch < n_epochs:
        train_one_epoch()
        for name in measures:
            history[name] += [measures[name]()]
        epoch += 1
    return history


# %% ex-01-8-biases
# expect: 2 ok "factors and two biases"
class BiasedMF(MatrixFactorization):
    def __init__(self, n_users, n_items, n_factors, mean):
        super().__init__(n_users, n_items, n_factors)
        nn.init.normal_(self.rows.weight, std=INIT_STD)
        self.user_bias, self.item_bias = nn.Embedding(n_users, 1), nn.Embedding(n_items, 1)
        self.user_bias.weight.data.zero_()
        self.item_bias.weight.data.zero_()
        self.mean = mean

    def forward(self, user_ids, item_ids):
        return (
            super().forward(user_ids, item_ids)
            + self.user_bias(user_ids).flatten()
            + self.item_bias(item_ids).flatten()
            + self.mean
        )


# %% ex-01-9-init
# expect: 1 ok "the wanted spread"
def init_std(score_std, n_factors):
    return torch.tensor(score_std).div(np.sqrt(n_factors)).sqrt()


# %% ex-01-10-decay
# expect: 1 ok "biases do not"
def decaying_adam(model, learning_rate, weight_decay):
    groups = [{"params": [table], "weight_decay": weight_decay * (table.size(-1) > 1)} for table in model.parameters()]
    return torch.optim.Adam(groups, lr=learning_rate, decoupled_weight_decay=True)


# %% ex-01-11-collabfnet
# expect: 2 ok "dropout in training only"
class CollabFNet(nn.Module):
    def __init__(self, n_users, n_items, n_factors, n_hidden, dropout):
        super().__init__()
        self.tables = nn.ModuleDict(
            {"user": nn.Embedding(n_users, n_factors), "item": nn.Embedding(n_items, n_factors)}
        )
        self.w1, self.b1 = nn.Parameter(torch.randn(2 * n_factors, n_hidden) * 0.1), nn.Parameter(torch.zeros(n_hidden))
        self.w2, self.b2 = nn.Parameter(torch.randn(n_hidden, 1) * 0.1), nn.Parameter(torch.zeros(1))
        self.rate = dropout

    def forward(self, user_ids, item_ids):
        x = torch.cat([self.tables["item"](item_ids), self.tables["user"](user_ids)], dim=1)
        x = nn.functional.dropout(torch.relu(x), self.rate, training=self.training)
        return (torch.relu(x @ self.w1 + self.b1) @ self.w2 + self.b2).squeeze(-1)


# %% ex-01-12-restore
# expect: 2 ok "its weights are back"
def fit_and_restore(model, train_one_epoch, measure, n_epochs):
    best = None
    for epoch in range(n_epochs):
        train_one_epoch()
        candidate = (measure(), epoch + 1)
        if best is None or candidate < best:
            best, twin = candidate, deepcopy(model)
    with torch.no_grad():
        for mine, kept in zip(model.parameters(), twin.parameters()):
            mine.copy_(kept)
    return best[1]


# %% ex-01-13-ladder
# expect: 4 ok "4 of 4 rungs"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    def one_model(seed):
        torch.manual_seed(seed)
        model = BiasedMF(n_users, n_items, 64, train.ratings.mean().item())
        optimizer = decaying_adam(model, 6e-3, 1.5)
        falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=20)
        for _ in range(20):
            train_epoch(
                model, optimizer, batches(*train, batch_size=1000, generator=torch.Generator().manual_seed(seed))
            )
            falling.step()
        with torch.no_grad():
            return model(user_ids, item_ids).double().numpy()

    return np.mean([one_model(seed) for seed in range(2)], axis=0)
