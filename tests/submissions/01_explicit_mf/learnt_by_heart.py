# Someone who trains without any decay until the training error is small, and hands in the last epoch.
# rest: reference

# %% ex-01-7-fit
# expect: 0 failed "Call train_one_epoch() once an epoch"
def fit(train_one_epoch, measures, n_epochs):
    train_one_epoch()
    return {name: [measure() for _ in range(n_epochs)] for name, measure in measures.items()}


# %% ex-01-10-decay
# expect: 0 failed "do not decay at all"
def decaying_adam(model, learning_rate, weight_decay):
    return torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)


# %% ex-01-12-restore
# expect: 0 failed "That is the last epoch"
def fit_and_restore(model, train_one_epoch, measure, n_epochs):
    best = float("inf")
    for epoch in range(1, n_epochs + 1):
        train_one_epoch()
        if measure() < best:
            best, weights = measure(), deepcopy(model.state_dict())
    model.load_state_dict(weights)
    return epoch


# %% ex-01-13-ladder
# expect: 0 failed "below" "no regularisation"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    model = BiasedMF(n_users, n_items, 64, train.ratings.mean().item())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        train_epoch(model, optimizer, batches(*train, batch_size=1000, generator=generator))
    with torch.no_grad():
        return model(user_ids, item_ids)
