# Someone who trusts raw ids, timestamps and the first formula that comes to mind.
# rest: reference

# %% ex-00-1-density
# expect: 0 failed "Ids have gaps"
def density(ratings):
    return len(ratings) / (ratings["user_id"].max() * ratings["item_id"].max())


# %% ex-00-2-head-share
# expect: 0 failed "smallest ids"
def head_share(ratings, n_top):
    return ratings.groupby("item_id").size().head(n_top).sum() / len(ratings)


# %% ex-00-3-dense-ids
# expect: 0 failed "numbered by size"
def dense_ids(raw_ids):
    raw_of, ids = np.unique(raw_ids, return_inverse=True)
    return ids, raw_of


# %% ex-00-4-encode-validation
# expect: 0 failed "leaves both arrays"
def encode_validation(valid, user_ids, item_ids):
    users = valid["user_id"].map(user_ids).dropna().astype(int)
    items = valid["item_id"].map(item_ids).dropna().astype(int)
    return users.to_numpy(), items.to_numpy(), len(valid) - min(len(users), len(items))


# %% ex-00-5-split-by-time
# expect: 0 failed "share a second"
def split_by_time(ratings, n_test):
    in_order = ratings.sort_values("timestamp", kind="stable")
    return in_order[: len(ratings) - n_test], in_order[len(ratings) - n_test :]


# %% ex-00-6-leaked-share
# expect: 0 failed "same second is not a later one"
def leaked_share(train, test):
    last = train.groupby("user_id")["timestamp"].max()
    return (test["user_id"].map(last) >= test["timestamp"]).mean()


# %% ex-00-7-rmse
# expect: 0 failed "square root"
def rmse(ratings, scores):
    return np.mean((ratings - scores) ** 2)


# %% ex-00-8-item-means
# expect: 0 failed "not everybody hated"
def item_means(item_ids, ratings, n_items):
    sums = np.bincount(item_ids, weights=ratings, minlength=n_items)
    return sums / np.maximum(np.bincount(item_ids, minlength=n_items), 1)


# %% ex-00-9-damped-biases
# expect: 0 failed "Nothing is damped"
def damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping):
    mean = ratings.mean()
    item_sums = np.bincount(item_ids, weights=ratings - mean, minlength=n_items)
    item_biases = item_sums / np.maximum(np.bincount(item_ids, minlength=n_items), 1)
    left = ratings - mean - item_biases[item_ids]
    user_sums = np.bincount(user_ids, weights=left, minlength=n_users)
    return mean, item_biases, user_sums / np.maximum(np.bincount(user_ids, minlength=n_users), 1)
