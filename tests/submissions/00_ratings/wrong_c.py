# Someone who turns things round, and forgets the edge case.
# rest: reference

# %% ex-00-1-density
# expect: 0 failed "empty share"
def density(ratings):
    return 1 - len(ratings) / (ratings["user_id"].nunique() * ratings["item_id"].nunique())


# %% ex-00-2-head-share
# expect: 0 failed "least rated"
def head_share(ratings, n_top):
    counts = np.sort(ratings.groupby("item_id").size())
    return counts[:n_top].sum() / counts.sum()


# %% ex-00-3-dense-ids
# expect: 0 failed "how often they occur"
def dense_ids(raw_ids):
    raw_of = pd.Series(raw_ids).value_counts().sort_index().sort_values(ascending=False, kind="stable").index
    number = {raw: dense for dense, raw in enumerate(raw_of)}
    return np.array([number[raw] for raw in raw_ids]), np.array(raw_of)


# %% ex-00-4-encode-validation
# expect: 0 failed "one dropped row, not two"
def encode_validation(valid, user_ids, item_ids):
    users, items = valid["user_id"].map(user_ids), valid["item_id"].map(item_ids)
    known = users.notna() & items.notna()
    return users[known].astype(int), items[known].astype(int), users.isna().sum() + items.isna().sum()


# %% ex-00-5-split-by-time
# expect: 0 failed "rows[-0:]"
def split_by_time(ratings, n_test):
    in_order = ratings.sort_values(["timestamp", "position"])
    return in_order[:-n_test], in_order[-n_test:]


# %% ex-00-6-leaked-share
# expect: 0 failed "earlier training rating"
def leaked_share(train, test):
    first = train.groupby("user_id")["timestamp"].min()
    return (test["user_id"].map(first) < test["timestamp"]).mean()


# %% ex-00-7-rmse
# expect: 0 failed "not their sum"
def rmse(ratings, scores):
    return np.sqrt(np.sum((ratings - scores) ** 2))


# %% ex-00-8-item-means
# expect: 0 failed "mean of the items' means"
def item_means(item_ids, ratings, n_items):
    means = pd.Series(ratings).groupby(item_ids).mean()
    return means.reindex(range(n_items)).fillna(means.mean()).to_numpy()


# %% ex-00-9-damped-biases
# expect: 0 failed "items first"
def damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping):
    mean = ratings.mean()
    user_sums = np.bincount(user_ids, weights=ratings - mean, minlength=n_users)
    user_biases = user_sums / (np.bincount(user_ids, minlength=n_users) + damping)
    left = ratings - mean - user_biases[user_ids]
    item_sums = np.bincount(item_ids, weights=left, minlength=n_items)
    return mean, item_sums / (np.bincount(item_ids, minlength=n_items) + damping), user_biases
