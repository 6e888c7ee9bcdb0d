# Someone who writes tables as plain parameters and counts on einsum, and climbs the ladder with a loop of their own.
# rest: reference

# %% ex-01-1-rmse
# expect: 1 ok "RMSE"
def rmse_by_hand(model, user_ids, item_ids, ratings):
    from sklearn.metrics import mean_squared_error

    return np.sqrt(mean_squared_error(ratings, model.predict(user_ids, item_ids)))


# %% ex-01-2-lookup
# expect: 1 ok "repeats and both ends"
def embedding_lookup(table, ids):
    return nn.functional.one_hot(ids, num_classes=len(table)).to(table.dtype) @ table


# %% ex-01-3-dot
# expect: 1 ok "a batch of one keeps its shape"
def dot_scores(user_vectors, item_vectors):
    return torch.einsum("bd,bd->b", user_vectors, item_vectors)


# %% ex-01-4-mf
# expect: 2 ok "the number of factors"
class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        self.P = nn.Parameter(torch.rand(n_users, n_factors) * 0.05)
        self.Q = nn.Parameter(torch.rand(n_items, n_factors) * 0.05)

    def forward(self, user_ids, item_ids):
        return torch.einsum("bd,bd->b", self.P[user_ids], self.Q[item_ids])


# %% ex-01-5-epoch
# expect: 2 ok "the mean over all rows"
def train_epoch(model, optimizer, batches):
    model.train()
    squares, rows = [], 0
    for users, items, stars in batches:
        optimizer.zero_grad(set_to_none=False)
        error = stars - model(users, items)
        (error @ error / len(error)).backward()
        optimizer.step()
        squares.append((error.detach() ** 2).sum())
        rows += len(stars)
    return sum(squares) / rows


# %% ex-01-6-evaluate
# expect: 1 ok "without dropout and without gradients"
@torch.no_grad()
def evaluate_rmse(model, user_ids, item_ids, ratings):
    model.eval()
    total = 0.0
    for batch in batches(user_ids, item_ids, ratings, batch_size=64 if len(ratings) < 1000 else 4096):
        total += nn.functional.mse_loss(model(*batch[:2]), batch[2], reduction="sum").item()
    return (total / len(ratings)) ** 0.5


# %% ex-01-7-fit
# expect: 1 ok "each measured after it"
def fit(train_one_epoch, measures, n_epochs):
    rows = []
    for _ in range(n_epochs):
        train_one_epoch()
        rows.append({name: measure() for name, measure in measures.items()})
    return {name: [row[name] for row in rows] for name in measures}


# %% ex-01-8-biases
# expect: 2 ok "factors and two biases"
class BiasedMF(nn.Module):
    def __init__(self, n_users, n_items, n_factors, mean):
        super().__init__()
        self.P = nn.Parameter(torch.randn(n_users, n_factors) * INIT_STD)
        self.Q = nn.Parameter(torch.randn(n_items, n_factors) * INIT_STD)
        self.b = nn.Parameter(torch.zeros(n_users, 1))
        self.c = nn.Parameter(torch.zeros(n_items, 1))
        self.register_buffer("mu", torch.tensor(mean))

    def forward(self, user_ids, item_ids):
        dot = torch.einsum("bd,bd->b", self.P[user_ids], self.Q[item_ids])
        return dot + self.b[user_ids, 0] + self.c[item_ids, 0] + self.mu


# %% ex-01-9-init
# expect: 1 ok "the wanted spread"
def init_std(score_std, n_factors):
    return (score_std**2 / n_factors) ** 0.25


# %% ex-01-10-decay
# expect: 1 ok "biases do not"
def decaying_adam(model, learning_rate, weight_decay):
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    whole = optimizer.param_groups[0]
    columns = [p for p in whole["params"] if p.shape[1] == 1]
    whole["params"] = [p for p in whole["params"] if p.shape[1] != 1]
    optimizer.add_param_group({"params": columns, "weight_decay": 0})
    return optimizer


# %% ex-01-11-collabfnet
# expect: 2 ok "dropout in training only"
class CollabFNet(nn.Module):
    def __init__(self, n_users, n_items, n_factors, n_hidden, dropout):
        super().__init__()
        self.users = nn.Parameter(torch.randn(n_users, n_factors))
        self.items = nn.Parameter(torch.randn(n_items, n_factors))
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * n_factors, n_hidden),
            nn.ReLU(),
            nn.Linear(n_hidden, 1),
            nn.Flatten(0),
        )

    def forward(self, user_ids, item_ids):
        return self.layers(torch.hstack([self.users[user_ids], self.items[item_ids]]))


# %% ex-01-12-restore
# expect: 2 ok "its weights are back"
def fit_and_restore(model, train_one_epoch, measure, n_epochs):
    values, weights = [], []
    for _ in range(n_epochs):
        train_one_epoch()
        values.append(measure())
        weights.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
    best = int(np.argmin(values))
    model.load_state_dict(weights[best])
    return best + 1


# %% ex-01-13-ladder
# expect: 4 ok "4 of 4 rungs"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    torch.manual_seed(1)
    mu = train.ratings.mean()
    P, Q = (nn.Parameter(torch.randn(n, 64) * 0.05) for n in (n_users, n_items))
    b, c = (nn.Parameter(torch.zeros(n)) for n in (n_users, n_items))

    def score(u, i):
        return mu + b[u] + c[i] + (P[u] * Q[i]).sum(1)

    rate, n_epochs = 5e-3, 25
    optimizer = torch.optim.Adam([P, Q, b, c])
    for epoch in range(n_epochs):
        optimizer.param_groups[0]["lr"] = now = rate * (1 - epoch / n_epochs)
        for rows in torch.randperm(len(train.ratings)).split(1000):
            u, i, r = (column[rows] for column in train)
            optimizer.zero_grad()
            (score(u, i) - r).square().mean().backward()
            with torch.no_grad():  # decay by hand
                P.mul_(1 - now * 1.5)
                Q.mul_(1 - now * 1.5)
            optimizer.step()
    with torch.no_grad():
        return score(user_ids, item_ids).clamp(1, 5)
