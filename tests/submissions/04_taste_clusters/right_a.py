# Someone who thinks in pandas and dicts, and leans on libraries where they are allowed.
# rest: reference

# %% ex-04-1-two-way-ids
# expect: 2 ok "as numbers with gaps and as strings"
class TwoWayIds:
    def __init__(self, raw_ids):
        self.index = pd.Index(np.unique(raw_ids))  # sorted: any order will do

    def __len__(self):
        return len(self.index)

    def encode(self, raw_ids):
        return self.index.get_indexer(pd.Index(raw_ids))

    def decode(self, dense_ids):
        return self.index[dense_ids].to_numpy()


# %% ex-04-2-ratings-dataset
# expect: 2 ok "dropped and counted"
class RatingsDataset(Dataset):
    def __init__(self, ratings, users, items):
        table = pd.DataFrame(
            {
                "user": users.encode(ratings["user_id"]),
                "item": items.encode(ratings["item_id"]),
                "rating": np.asarray(ratings["rating"]),
            }
        )
        kept = table[(table["user"] != -1) & (table["item"] != -1)]
        self.n_dropped = len(table) - len(kept)
        self.features = torch.LongTensor(kept[["user", "item"]].to_numpy())
        self.targets = torch.FloatTensor(kept["rating"].to_numpy())

    def __len__(self):
        return self.features.shape[0]

    def __getitem__(self, row):
        return (self.features[row], self.targets[row])


# %% ex-04-3-whole-batches
# expect: 2 ok "in an order that the generator decides"
def whole_batches(features, targets, batch_size, generator):
    order = torch.randperm(len(features), generator=generator)
    return list(zip(features[order].split(batch_size), targets[order].split(batch_size)))


# %% ex-04-4-fit
# expect: 2 ok "one step of Adam for each"
def fit(model, epoch_batches, n_epochs, learning_rate):
    adam = torch.optim.Adam(params=model.parameters(), lr=learning_rate)
    history = []
    for epoch in range(n_epochs):
        squares = []
        for features, targets in epoch_batches():
            adam.zero_grad()
            errors = (model(features) - targets) ** 2
            errors.mean().backward()
            adam.step()
            squares.append(errors.detach())
        history.append(torch.cat(squares).mean().item())
    return history


# %% ex-04-5-user-clusters
# expect: 2 ok "under their raw ids"
def user_clusters(model, users, n_clusters, seed):
    with torch.no_grad():
        vectors = model.user_factors.weight.numpy()
    found = KMeans(n_clusters=n_clusters, random_state=seed).fit(vectors)
    return {raw: found.labels_[dense] for dense, raw in enumerate(users.raw_ids)}


# %% ex-04-6-stability
# expect: 1 ok "on average"
def stability(labelings):
    values = []
    for i in range(len(labelings)):
        for j in range(i):
            values.append(adjusted_rand_score(labelings[i], labelings[j]))
    return sum(values) / len(values)


# %% ex-04-7-cluster-sums
# expect: 2 ok "none of the user's own"
def cluster_sums(train, labels, cluster, user):
    table = pd.DataFrame({"user": train.user_ids, "film": train.item_ids, "stars": train.ratings.astype(float)})
    table = table[(labels[table["user"]] == cluster) & (table["user"] != user)]
    grouped = table.groupby("film")["stars"].agg(["sum", "size"]).reindex(range(train.n_items), fill_value=0)
    return grouped["sum"].to_numpy(), grouped["size"].to_numpy()


# %% ex-04-8-damped-means
# expect: 1 ok "the less the more ratings"
def damped_means(sums, counts, prior, damping):
    result = np.full(len(sums), float(prior))
    rated = counts > 0
    result[rated] = (sums[rated] + damping * prior) / (counts[rated] + damping)
    return result


# %% ex-04-9-recommend
# expect: 4 ok "raw ids, titles and genres fit"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    table = pd.DataFrame({"user": train.user_ids, "film": train.item_ids, "stars": train.ratings})
    me = train.users.encode([user])[0]
    prior = table["stars"].mean()
    seen = set(table.loc[table["user"] == me, "film"])
    others = table[(labels[table["user"]] == cluster) & (table["user"] != me) & ~table["film"].isin(seen)]
    by_film = others.groupby("film")["stars"].agg(["sum", "size"])
    score = (by_film["sum"] + damping * prior) / (by_film["size"] + damping)
    best = score.sort_values(ascending=False).head(n).reset_index(name="score")
    best["item_id"] = train.items.decode(best["film"].to_numpy(dtype=int))
    return best.merge(movies, on="item_id", how="left")[["item_id", "title", "genres", "score"]]


# %% ex-04-10-genre-profile
# expect: 2 ok "whose film carries the genre"
def genre_profile(item_ids, values, genres):
    sums, numbers = {}, {}
    for film, value in zip(item_ids, values):
        for genre in filter(None, genres[film].split("|")):
            sums[genre] = sums.get(genre, 0.0) + value
            numbers[genre] = numbers.get(genre, 0) + 1
    return {genre: sums[genre] / numbers[genre] for genre in sums}


# %% ex-04-11-nearest-films
# expect: 2 ok "whatever their length"
def nearest_films(item_vectors, item_id, n):
    from sklearn.metrics.pairwise import cosine_similarity

    cosines = cosine_similarity(item_vectors[[item_id]], item_vectors)[0]
    order = np.argsort(cosines)[::-1]
    return order[order != item_id][:n]
