# Someone who reads the text too quickly.
# rest: reference

# %% ex-00-1-density
# expect: 0 failed "percentage"
def density(ratings):
    return 100 * len(ratings) / (ratings["user_id"].nunique() * ratings["item_id"].nunique())


# %% ex-00-2-head-share
# expect: 0 failed "most active users"
def head_share(ratings, n_top):
    return ratings["user_id"].value_counts().head(n_top).sum() / len(ratings)


# %% ex-00-3-dense-ids
# expect: 0 failed "start at 0"
def dense_ids(raw_ids):
    ids, raw_of = pd.factorize(raw_ids)
    return ids + 1, raw_of


# %% ex-00-4-encode-validation
# expect: 0 failed "No row was dropped"
def encode_validation(valid, user_ids, item_ids):
    users = valid["user_id"].map(user_ids).fillna(-1).astype(int)
    items = valid["item_id"].map(item_ids).fillna(-1).astype(int)
    return users.to_numpy(), items.to_numpy(), ((users < 0) | (items < 0)).sum()


# %% ex-00-5-split-by-time
# expect: 0 failed "A cut at a second"
def split_by_time(ratings, n_test):
    if n_test == 0:
        return ratings, ratings[:0]
    cut = ratings["timestamp"].sort_values().iloc[-n_test]
    return ratings[ratings["timestamp"] < cut], ratings[ratings["timestamp"] >= cut]


# %% ex-00-6-leaked-share
# expect: 0 failed "keep them in the total"
def leaked_share(train, test):
    last = train.groupby("user_id")["timestamp"].max().rename("last")
    both = test.join(last, on="user_id", how="inner")
    return (both["last"] > both["timestamp"]).mean()


# %% ex-00-7-rmse
# expect: 0 failed "mean absolute error"
def rmse(ratings, scores):
    return np.mean(np.sqrt((ratings - scores) ** 2))


# %% ex-00-8-item-means
# expect: 0 failed "rated or not"
def item_means(item_ids, ratings, n_items):
    return pd.Series(ratings).groupby(item_ids).mean().to_numpy()


# %% ex-00-9-damped-biases
# expect: 1 failed "subtract the items' biases first"
def damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping):
    mean = ratings.mean()
    item_sums = np.bincount(item_ids, weights=ratings - mean, minlength=n_items)
    user_sums = np.bincount(user_ids, weights=ratings - mean, minlength=n_users)
    item_biases = item_sums / (np.bincount(item_ids, minlength=n_items) + damping)
    return mean, item_biases, user_sums / (np.bincount(user_ids, minlength=n_users) + damping)
