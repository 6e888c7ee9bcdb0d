# Someone who did the first two, the split, RMSE and means, and left the rest.
# rest: stub

# %% ex-00-1-density
# expect: 1 ok "fill"
def density(ratings):
    users = ratings["user_id"].nunique()
    items = ratings["item_id"].nunique()
    return len(ratings) / users / items


# %% ex-00-2-head-share
# expect: 1 ok "ratings"
def head_share(ratings, n_top):
    return ratings.groupby("item_id").size().nlargest(n_top).sum() / ratings.shape[0]


# %% ex-00-5-split-by-time
# expect: 2 ok "parted by position"
def split_by_time(ratings, n_test):
    ranked = ratings.sort_values(["timestamp", "position"], ascending=False)
    return ranked[n_test:], ranked[:n_test]


# %% ex-00-7-rmse
# expect: 1 ok "RMSE"
def rmse(ratings, scores):
    errors = ratings - scores
    return (errors**2).mean() ** 0.5


# %% ex-00-8-item-means
# expect: 1 ok "own mean"
def item_means(item_ids, ratings, n_items):
    means = pd.Series(ratings).groupby(item_ids).mean()
    return means.reindex(range(n_items)).fillna(ratings.mean())
