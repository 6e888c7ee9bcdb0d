# Someone who stops climbing at the biases, fits them in turns, and measures every tenth thing wrongly.
# rest: reference

# %% ex-01-5-epoch
# expect: 0 failed "Call model.train() first"
def train_epoch(model, optimizer, batches):
    total, n_rows = 0.0, 0
    for user_ids, item_ids, ratings in batches:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(user_ids, item_ids), ratings)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(ratings)
        n_rows += len(ratings)
    return total / n_rows


# %% ex-01-12-restore
# expect: 0 failed "Lower RMSE is better"
def fit_and_restore(model, train_one_epoch, measure, n_epochs):
    values, weights = [], []
    for _ in range(n_epochs):
        train_one_epoch()
        values.append(measure())
        weights.append(deepcopy(model.state_dict()))
    best = int(np.argmax(values))
    model.load_state_dict(weights[best])
    return best + 1


# %% ex-01-13-ladder
# expect: 2 failed "2 of 4 rungs" "damped biases"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    mean = train.ratings.mean()
    users, items = torch.zeros(n_users), torch.zeros(n_items)
    for _ in range(10):
        left = train.ratings - mean - items[train.item_ids]
        users = torch.zeros(n_users).index_add(0, train.user_ids, left) / (
            10 + torch.bincount(train.user_ids, minlength=n_users)
        )
        left = train.ratings - mean - users[train.user_ids]
        items = torch.zeros(n_items).index_add(0, train.item_ids, left) / (
            10 + torch.bincount(train.item_ids, minlength=n_items)
        )
    return mean + users[user_ids] + items[item_ids]
