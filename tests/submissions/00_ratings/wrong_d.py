# Someone whose code crashes, or returns something of the wrong kind.
# rest: reference

# %% ex-00-1-density
# expect: 0 error "KeyError: 'user'"
def density(ratings):
    return len(ratings) / (ratings["user"].nunique() * ratings["item"].nunique())


# %% ex-00-2-head-share
# expect: 0 failed "number of ratings; divide"
def head_share(ratings, n_top):
    return ratings["item_id"].value_counts().head(n_top).sum()


# %% ex-00-3-dense-ids
# expect: 0 failed "how many values"
def dense_ids(raw_ids):
    return pd.factorize(raw_ids)[0]


# %% ex-00-4-encode-validation
# expect: 0 failed "whole numbers"
def encode_validation(valid, user_ids, item_ids):
    users, items = valid["user_id"].map(user_ids), valid["item_id"].map(item_ids)
    known = users.notna() & items.notna()
    return users[known], items[known], len(valid) - known.sum()


# %% ex-00-5-split-by-time
# expect: 0 failed "last rows of the file"
def split_by_time(ratings, n_test):
    in_order = ratings.sort_values("position")
    return in_order.iloc[: len(ratings) - n_test], in_order.iloc[len(ratings) - n_test :]


# %% ex-00-6-leaked-share
# expect: 0 failed "of the same user"
def leaked_share(train, test):
    return (test["timestamp"] < train["timestamp"].max()).mean()


# %% ex-00-7-rmse
# expect: 0 failed "standard deviation"
def rmse(ratings, scores):
    return (ratings - scores).std()


# %% ex-00-8-item-means
# expect: 0 failed "divided by 0"
def item_means(item_ids, ratings, n_items):
    sums = np.bincount(item_ids, weights=ratings, minlength=n_items)
    with np.errstate(invalid="ignore"):
        return sums / np.bincount(item_ids, minlength=n_items)


# %% ex-00-9-damped-biases
# expect: 0 failed "in the other order"
def damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping):
    mean = ratings.mean()
    item_sums = np.bincount(item_ids, weights=ratings - mean, minlength=n_items)
    item_biases = item_sums / (np.bincount(item_ids, minlength=n_items) + damping)
    left = ratings - mean - item_biases[item_ids]
    user_sums = np.bincount(user_ids, weights=left, minlength=n_users)
    return mean, user_sums / (np.bincount(user_ids, minlength=n_users) + damping), item_biases
