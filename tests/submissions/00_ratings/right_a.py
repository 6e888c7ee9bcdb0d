# Someone who thinks in NumPy.
# rest: reference

# %% ex-00-1-density
# expect: 1 ok "fill"
def density(ratings):
    n_users, n_items = (len(np.unique(ratings[column])) for column in ("user_id", "item_id"))
    return np.float32(len(ratings)) / (n_users * n_items)


# %% ex-00-2-head-share
# expect: 1 ok "ratings"
def head_share(ratings, n_top):
    _, counts = np.unique(ratings["item_id"].to_numpy(), return_counts=True)
    return np.sort(counts)[::-1][:n_top].sum() / counts.sum()


# %% ex-00-3-dense-ids
# expect: 2 ok "numbered as they appear"
def dense_ids(raw_ids):
    in_order, first, by_size = np.unique(raw_ids, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return np.argsort(order)[by_size], in_order[order]


# %% ex-00-4-encode-validation
# expect: 2 ok "dropped and counted"
def encode_validation(valid, user_ids, item_ids):
    users = np.array([user_ids.get(user, -1) for user in valid["user_id"]])
    items = np.array([item_ids.get(item, -1) for item in valid["item_id"]])
    known = (users >= 0) & (items >= 0)
    return users[known], items[known], np.sum(~known)


# %% ex-00-5-split-by-time
# expect: 2 ok "parted by position"
def split_by_time(ratings, n_test):
    order = np.lexsort([ratings["position"], ratings["timestamp"]])
    in_test = np.zeros(len(ratings), dtype=bool)
    in_test[order[len(order) - n_test :]] = True
    return ratings[~in_test], ratings[in_test]


# %% ex-00-6-leaked-share
# expect: 2 ok "leak"
def leaked_share(train, test):
    leaks = [
        ((train["user_id"] == user) & (train["timestamp"] > second)).any()
        for user, second in zip(test["user_id"], test["timestamp"])
    ]
    return np.mean(leaks)


# %% ex-00-7-rmse
# expect: 1 ok "RMSE"
def rmse(ratings, scores):
    return np.linalg.norm(ratings - scores) / len(ratings) ** 0.5


# %% ex-00-8-item-means
# expect: 1 ok "own mean"
def item_means(item_ids, ratings, n_items):
    means = np.full(n_items, ratings.mean())
    for item in set(item_ids):
        means[item] = ratings[item_ids == item].mean()
    return means


# %% ex-00-9-damped-biases
# expect: 2 ok "damped by"
def damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping):
    mean = ratings.mean()
    item_biases, user_biases = np.zeros(n_items), np.zeros(n_users)
    np.add.at(item_biases, item_ids, ratings - mean)
    item_biases /= damping + np.bincount(item_ids, minlength=n_items)
    np.add.at(user_biases, user_ids, ratings - mean - item_biases[item_ids])
    user_biases /= damping + np.bincount(user_ids, minlength=n_users)
    return mean, item_biases, user_biases
