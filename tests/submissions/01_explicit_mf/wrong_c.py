# Someone whose code runs without a complaint and computes something else.
# rest: reference

# %% ex-01-1-rmse
# expect: 0 failed "mean absolute error"
def rmse_by_hand(model, user_ids, item_ids, ratings):
    return float(np.mean(np.abs(model.predict(user_ids, item_ids) - ratings)))


# %% ex-01-2-lookup
# expect: 0 failed "in the order of ids"
def embedding_lookup(table, ids):
    return table[ids.sort().values]


# %% ex-01-3-dot
# expect: 0 failed "That is the mean of the products"
def dot_scores(user_vectors, item_vectors):
    return (user_vectors * item_vectors).mean(dim=-1)


# %% ex-01-4-mf
# expect: 0 failed "plain sum of the products"
class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)

    def forward(self, user_ids, item_ids):
        return 5 * torch.sigmoid((self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1))


# %% ex-01-5-epoch
# expect: 0 failed "not their sum"
def train_epoch(model, optimizer, batches):
    model.train()
    total, n_rows = 0.0, 0
    for user_ids, item_ids, ratings in batches:
        loss = nn.functional.mse_loss(model(user_ids, item_ids), ratings, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        n_rows += len(ratings)
    return total / n_rows


# %% ex-01-6-evaluate
# expect: 0 failed "One root of one mean over all rows"
def evaluate_rmse(model, user_ids, item_ids, ratings):
    model.eval()
    with torch.no_grad():
        parts = [
            (model(u, i) - r).square().mean().sqrt().item()
            for u, i, r in batches(user_ids, item_ids, ratings, batch_size=100)
        ]
    return sum(parts) / len(parts)


# %% ex-01-7-fit
# expect: 0 failed "n_epochs numbers each"
def fit(train_one_epoch, measures, n_epochs):
    history = {}
    for _ in range(n_epochs):
        train_one_epoch()
        for name, measure in measures.items():
            history[name] = measure()
    return history


# %% ex-01-8-biases
# expect: 0 failed "nothing is done to it after that"
class BiasedMF(nn.Module):
    def __init__(self, n_users, n_items, n_factors, mean):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.user_biases = nn.Embedding(n_users, 1)
        self.item_biases = nn.Embedding(n_items, 1)
        self.mean = mean
        for table in (self.user_factors, self.item_factors):
            nn.init.normal_(table.weight, std=INIT_STD)

    def forward(self, user_ids, item_ids):
        dot = (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)
        biases = self.user_biases(user_ids)[:, 0] + self.item_biases(item_ids)[:, 0]
        return 5 * torch.sigmoid(self.mean + biases + dot)


# %% ex-01-9-init
# expect: 0 failed "spread of the scores itself"
def init_std(score_std, n_factors):
    return score_std


# %% ex-01-10-decay
# expect: 0 failed "pass learning_rate on"
def decaying_adam(model, learning_rate, weight_decay):
    factors = [p for p in model.parameters() if p.shape[-1] > 1]
    biases = [p for p in model.parameters() if p.shape[-1] == 1]
    return torch.optim.AdamW(
        [{"params": factors, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0.0}]
    )


# %% ex-01-11-collabfnet
# expect: 0 failed "two linear layers are one"
class CollabFNet(nn.Module):
    def __init__(self, n_users, n_items, n_factors, n_hidden, dropout):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(2 * n_factors, n_hidden)
        self.output = nn.Linear(n_hidden, 1)

    def forward(self, user_ids, item_ids):
        vectors = torch.cat([self.user_factors(user_ids), self.item_factors(item_ids)], dim=-1)
        return self.output(self.hidden(self.dropout(vectors.relu())))[:, 0]


# %% ex-01-12-restore
# expect: 0 failed "take the earlier one"
def fit_and_restore(model, train_one_epoch, measure, n_epochs):
    best_epoch, lowest, weights = 0, float("inf"), None
    for epoch in range(1, n_epochs + 1):
        train_one_epoch()
        value = measure()
        if value <= lowest:
            best_epoch, lowest, weights = epoch, value, deepcopy(model.state_dict())
    model.load_state_dict(weights)
    return best_epoch


# %% ex-01-13-ladder
# expect: 0 failed "shape" "in the pairs' order"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    mean = train.ratings.mean()
    sums = torch.zeros(n_users).index_add(0, train.user_ids, train.ratings - mean)
    counts = torch.bincount(train.user_ids, minlength=n_users)
    biases = nn.Embedding.from_pretrained((sums / (counts + 5))[:, None])
    return mean + biases(user_ids)
