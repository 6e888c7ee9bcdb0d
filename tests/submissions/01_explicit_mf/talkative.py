# Someone who prints everything, warns on standard error, and is right.
# rest: reference

# %% ex-01-2-lookup
# expect: 1 ok "repeats and both ends"
def embedding_lookup(table, ids):
    print("table", table, "\nids", ids)
    return table[ids]


# %% ex-01-6-evaluate
# expect: 1 ok "without gradients"
def evaluate_rmse(model, user_ids, item_ids, ratings):
    import sys
    import warnings

    warnings.warn("this is slow on my laptop", stacklevel=1)
    print("evaluating", len(ratings), "rows", file=sys.stderr)
    model.eval()
    with torch.set_grad_enabled(False):
        return torch.dist(model(user_ids, item_ids), ratings) / len(ratings) ** 0.5


# %% ex-01-7-fit
# expect: 1 ok "each measured after it"
def fit(train_one_epoch, measures, n_epochs):
    history = {name: np.zeros(n_epochs) for name in measures}
    for epoch in tqdm(range(n_epochs)):
        train_one_epoch()
        for name in measures:
            history[name][epoch] = measures[name]()
            print(f"epoch {epoch}: {name} {history[name][epoch]}")
    return history
