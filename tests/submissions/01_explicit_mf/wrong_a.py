# Someone who forgets one step in everything: a root, a reset, a mode, a copy.
# rest: reference

# %% ex-01-1-rmse
# expect: 0 failed "its square root is missing"
def rmse_by_hand(model, user_ids, item_ids, ratings):
    return float(np.mean((model.predict(user_ids, item_ids) - ratings) ** 2))


# %% ex-01-2-lookup
# expect: 0 failed "keep its dimension"
def embedding_lookup(table, ids):
    return table[ids].squeeze()


# %% ex-01-3-dot
# expect: 0 failed "Multiply row by row"
def dot_scores(user_vectors, item_vectors):
    return user_vectors @ item_vectors.T


# %% ex-01-4-mf
# expect: 0 failed "nothing after the sum"
class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)

    def forward(self, user_ids, item_ids):
        return (self.user_factors(user_ids) * self.item_factors(item_ids)).mean(dim=-1)


# %% ex-01-5-epoch
# expect: 0 failed "Gradients add up until you clear them"
def train_epoch(model, optimizer, batches):
    model.train()
    total, n_rows = 0.0, 0
    for user_ids, item_ids, ratings in batches:
        loss = nn.functional.mse_loss(model(user_ids, item_ids), ratings)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(ratings)
        n_rows += len(ratings)
    return total / n_rows


# %% ex-01-6-evaluate
# expect: 0 failed "Call model.eval() first"
def evaluate_rmse(model, user_ids, item_ids, ratings):
    with torch.no_grad():
        errors = model(user_ids, item_ids) - ratings
    return errors.square().mean().sqrt().item()


# %% ex-01-7-fit
# expect: 0 failed "Train first, then measure"
def fit(train_one_epoch, measures, n_epochs):
    history = {name: [] for name in measures}
    for _ in range(n_epochs):
        for name, measure in measures.items():
            history[name].append(measure())
        train_one_epoch()
    return history


# %% ex-01-8-biases
# expect: 0 failed "add `mean` to every score"
class BiasedMF(nn.Module):
    def __init__(self, n_users, n_items, n_factors, mean):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.user_biases = nn.Embedding(n_users, 1)
        self.item_biases = nn.Embedding(n_items, 1)
        for table in (self.user_factors, self.item_factors):
            nn.init.normal_(table.weight, std=INIT_STD)

    def forward(self, user_ids, item_ids):
        dot = (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)
        return dot + self.user_biases(user_ids)[:, 0] + self.item_biases(item_ids)[:, 0]


# %% ex-01-9-init
# expect: 0 failed "one square root short"
def init_std(score_std, n_factors):
    return score_std / n_factors**0.5


# %% ex-01-10-decay
# expect: 0 failed "use AdamW"
def decaying_adam(model, learning_rate, weight_decay):
    groups = [
        {"params": [p for p in model.parameters() if p.shape[-1] > 1], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.shape[-1] == 1]},
    ]
    return torch.optim.Adam(groups, lr=learning_rate)


# %% ex-01-11-collabfnet
# expect: 0 failed "The ReLU on the two vectors"
class CollabFNet(nn.Module):
    def __init__(self, n_users, n_items, n_factors, n_hidden, dropout):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.net = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(2 * n_factors, n_hidden), nn.ReLU(), nn.Linear(n_hidden, 1)
        )

    def forward(self, user_ids, item_ids):
        return self.net(torch.cat([self.user_factors(user_ids), self.item_factors(item_ids)], dim=-1))[:, 0]


# %% ex-01-12-restore
# expect: 0 failed "keep a deep copy"
def fit_and_restore(model, train_one_epoch, measure, n_epochs):
    best_epoch, lowest = 0, float("inf")
    for epoch in range(1, n_epochs + 1):
        train_one_epoch()
        value = measure()
        if value < lowest:
            best_epoch, lowest, weights = epoch, value, model.state_dict()
    model.load_state_dict(weights)
    return best_epoch


# %% ex-01-13-ladder
# expect: 0 failed "All scores are the same"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    return torch.full((len(user_ids),), train.ratings.mean().item())
