# Someone who writes plain Python loops and returns lists, and pandas where it is short.
# rest: reference

# %% ex-00-1-density
# expect: 1 ok "fill"
def density(ratings):
    table = ratings.pivot_table(index="user_id", columns="item_id", values="rating", aggfunc="size")
    return float(table.notna().to_numpy().mean())


# %% ex-00-2-head-share
# expect: 1 ok "ratings"
def head_share(ratings, n_top):
    counts = {}
    for item in ratings["item_id"]:
        counts[item] = counts.get(item, 0) + 1
    return sum(sorted(counts.values(), reverse=True)[:n_top]) / sum(counts.values())


# %% ex-00-3-dense-ids
# expect: 2 ok "numbered as they appear"
def dense_ids(raw_ids):
    number = {}
    ids = []
    for raw in raw_ids.tolist():
        if raw not in number:
            number[raw] = len(number)
        ids.append(number[raw])
    return ids, list(number)


# %% ex-00-4-encode-validation
# expect: 2 ok "dropped and counted"
def encode_validation(valid, user_ids, item_ids):
    users, items, dropped = [], [], 0
    for user, item in zip(valid["user_id"], valid["item_id"]):
        if user in user_ids and item in item_ids:
            users.append(user_ids[user])
            items.append(item_ids[item])
        else:
            dropped += 1
    return users, items, dropped


# %% ex-00-5-split-by-time
# expect: 2 ok "parted by position"
def split_by_time(ratings, n_test):
    by_position = ratings.sort_values("position")
    in_order = by_position.sort_values("timestamp", kind="stable").reset_index(drop=True)
    return in_order.head(len(in_order) - n_test), in_order.tail(n_test)


# %% ex-00-6-leaked-share
# expect: 2 ok "leak"
def leaked_share(train, test):
    last = train.groupby("user_id", as_index=False)["timestamp"].max()
    both = test.merge(last, on="user_id", how="left", suffixes=("", "_last"))
    return (both["timestamp_last"] > both["timestamp"]).sum() / len(test)


# %% ex-00-7-rmse
# expect: 1 ok "RMSE"
def rmse(ratings, scores):
    total = 0.0
    for rating, score in zip(ratings, scores):
        total += (rating - score) ** 2
    return (total / len(ratings)) ** 0.5


# %% ex-00-8-item-means
# expect: 1 ok "own mean"
def item_means(item_ids, ratings, n_items):
    stars = [[] for _ in range(n_items)]
    for item, rating in zip(item_ids, ratings):
        stars[item].append(rating)
    overall = sum(ratings) / len(ratings)
    return [sum(given) / len(given) if given else overall for given in stars]


# %% ex-00-9-damped-biases
# expect: 2 ok "damped by"
def damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping):
    table = pd.DataFrame({"user": user_ids, "item": item_ids, "left": ratings - ratings.mean()})

    def damped(column, n):
        groups = table.groupby(column)["left"]
        return (groups.sum() / (groups.size() + damping)).reindex(range(n), fill_value=0.0)

    item_biases = damped("item", n_items)
    table["left"] -= table["item"].map(item_biases)
    return float(ratings.mean()), item_biases, damped("user", n_users)
