# Someone who mixes up what belongs to users and to items, and which dimension is which.
# rest: reference

# %% ex-01-1-rmse
# expect: 0 error "the user ids first"
def rmse_by_hand(model, user_ids, item_ids, ratings):
    errors = model.predict(item_ids, user_ids) - ratings
    return float(np.sqrt(np.mean(errors**2)))


# %% ex-01-2-lookup
# expect: 0 failed "Row b of the result is row ids[b]"
def embedding_lookup(table, ids):
    return table[ids.unique()]


# %% ex-01-3-dot
# expect: 0 failed "sum over the factors (the last dimension)"
def dot_scores(user_vectors, item_vectors):
    return (user_vectors * item_vectors).sum(dim=0)


# %% ex-01-4-mf
# expect: 0 error "are the two swapped"
class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors):
        super().__init__()
        self.user_factors = nn.Embedding(n_items, n_factors)
        self.item_factors = nn.Embedding(n_users, n_factors)

    def forward(self, user_ids, item_ids):
        return (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)


# %% ex-01-5-epoch
# expect: 0 failed "weigh each by its number of rows"
def train_epoch(model, optimizer, batches):
    model.train()
    losses = []
    for user_ids, item_ids, ratings in batches:
        loss = nn.functional.mse_loss(model(user_ids, item_ids), ratings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


# %% ex-01-6-evaluate
# expect: 0 failed "under torch.no_grad()"
def evaluate_rmse(model, user_ids, item_ids, ratings):
    model.eval()
    return (model(user_ids, item_ids) - ratings).square().mean().sqrt().item()


# %% ex-01-7-fit
# expect: 0 failed "All names share one list"
def fit(train_one_epoch, measures, n_epochs):
    history = dict.fromkeys(measures, [])
    for _ in range(n_epochs):
        train_one_epoch()
        for name, measure in measures.items():
            history[name].append(measure())
    return history


# %% ex-01-8-biases
# expect: 0 failed "every item has one of its own"
class BiasedMF(nn.Module):
    def __init__(self, n_users, n_items, n_factors, mean):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.user_biases = nn.Embedding(n_users, 1)
        self.mean = mean
        for table in (self.user_factors, self.item_factors):
            nn.init.normal_(table.weight, std=INIT_STD)

    def forward(self, user_ids, item_ids):
        dot = (self.user_factors(user_ids) * self.item_factors(item_ids)).sum(dim=-1)
        return self.mean + dot + self.user_biases(user_ids)[:, 0]


# %% ex-01-9-init
# expect: 0 failed "leaves out n_factors"
def init_std(score_std, n_factors):
    return score_std**0.5


# %% ex-01-10-decay
# expect: 0 failed "Biases are not decayed"
def decaying_adam(model, learning_rate, weight_decay):
    return torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)


# %% ex-01-11-collabfnet
# expect: 0 failed "Dropout must be off in evaluation mode"
class CollabFNet(nn.Module):
    def __init__(self, n_users, n_items, n_factors, n_hidden, dropout):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.hidden = nn.Linear(2 * n_factors, n_hidden)
        self.output = nn.Linear(n_hidden, 1)
        self.dropout = dropout

    def forward(self, user_ids, item_ids):
        vectors = torch.cat([self.user_factors(user_ids), self.item_factors(item_ids)], dim=-1).relu()
        hidden = self.hidden(nn.functional.dropout(vectors, self.dropout)).relu()
        return self.output(hidden)[:, 0]


# %% ex-01-12-restore
# expect: 0 failed "Epochs count from 1"
def fit_and_restore(model, train_one_epoch, measure, n_epochs):
    best_epoch, lowest, weights = 0, float("inf"), None
    for epoch in range(n_epochs):
        train_one_epoch()
        value = measure()
        if value < lowest:
            best_epoch, lowest, weights = epoch, value, deepcopy(model.state_dict())
    model.load_state_dict(weights)
    return best_epoch


# %% ex-01-13-ladder
# expect: 1 failed "1 of 4 rungs" "Spotlight as published"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    # every film's mean, and the mean of all for a film without ratings
    sums = torch.zeros(n_items).index_add(0, train.item_ids, train.ratings)
    counts = torch.bincount(train.item_ids, minlength=n_items)
    means = torch.where(counts > 0, sums / counts.clamp(min=1), train.ratings.mean())
    return means[item_ids]
