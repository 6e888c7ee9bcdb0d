# Works on tables that happen to be in order, and hands in halves.
# rest: reference

# %% ex-00-2-head-share
# expect: 0 failed "whichever of the tied"
def head_share(ratings, n_top):
    counts = ratings["item_id"].value_counts()
    return counts.nlargest(n_top, keep="all").sum() / len(ratings)


# %% ex-00-4-encode-validation
# expect: 0 failed "0 is an id like any other"
def encode_validation(valid, user_ids, item_ids):
    users = valid["user_id"].map(user_ids).fillna(0).astype(int)
    items = valid["item_id"].map(item_ids).fillna(0).astype(int)
    known = (users > 0) & (items > 0)
    return users[known].to_numpy(), items[known].to_numpy(), int((~known).sum())


# %% ex-00-5-split-by-time
# expect: 0 failed "train first, then test"
def split_by_time(ratings, n_test):
    in_order = ratings.sort_values(["timestamp", "position"])
    return in_order.iloc[len(ratings) - n_test :], in_order.iloc[: len(ratings) - n_test]


# %% ex-00-6-leaked-share
# expect: 0 failed "the user's last row in train"
def leaked_share(train, test):
    last = train.groupby("user_id")["timestamp"].last()
    return (test["user_id"].map(last) > test["timestamp"]).mean()


# %% ex-00-9-damped-biases
# expect: 1 failed "the user biases are still to do"
def damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping):
    mean = ratings.mean()
    sums = np.bincount(item_ids, weights=ratings - mean, minlength=n_items)
    return mean, sums / (np.bincount(item_ids, minlength=n_items) + damping), None
