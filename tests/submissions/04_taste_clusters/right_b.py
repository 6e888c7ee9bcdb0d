# Someone who writes plain loops and matrices, returns lists and Series, and reuses their own earlier answers.
# rest: reference

# %% ex-04-1-two-way-ids
# expect: 2 ok "as numbers with gaps and as strings"
class TwoWayIds:
    def __init__(self, raw_ids):
        self.numbers, self.names = {}, []
        for raw in raw_ids:
            if raw not in self.numbers:
                self.numbers[raw] = len(self.names)
                self.names.append(raw)

    def __len__(self):
        return len(self.names)

    def encode(self, raw_ids):
        return [self.numbers[raw] if raw in self.numbers else -1 for raw in raw_ids]

    def decode(self, dense_ids):
        return np.array([self.names[dense] for dense in dense_ids])


# %% ex-04-2-ratings-dataset
# expect: 2 ok "dropped and counted"
class RatingsDataset(Dataset):
    def __init__(self, ratings, users, items):
        u, i = (torch.tensor(ids.encode(ratings[c])) for ids, c in ((users, "user_id"), (items, "item_id")))
        stars = torch.tensor(ratings["rating"].to_numpy(dtype="float32"))
        rows = torch.nonzero((u >= 0) & (i >= 0))[:, 0]
        self.features = torch.stack((u[rows], i[rows]), 1)
        self.targets = stars[rows]
        self.n_dropped = len(stars) - len(rows)

    def __len__(self):
        return len(self.features)

    def __getitem__(self, row):
        return [self.features[row], self.targets[row]]


# %% ex-04-3-whole-batches
# expect: 2 ok "in an order that the generator decides"
def whole_batches(features, targets, batch_size, generator):
    n = len(targets)
    order = torch.rand(n, generator=generator).argsort()
    features, targets = features[order], targets[order]
    for start in range(0, n, batch_size):
        yield features[start : start + batch_size], targets[start : start + batch_size]


# %% ex-04-4-fit
# expect: 2 ok "one step of Adam for each"
def fit(model, epoch_batches, n_epochs, learning_rate):
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0)
    losses = np.zeros(n_epochs)
    for epoch in range(n_epochs):
        n = 0
        for features, targets in epoch_batches():
            loss = nn.MSELoss(reduction="sum")(model(features), targets)
            optimizer.zero_grad()
            (loss / len(targets)).backward()
            optimizer.step()
            losses[epoch] += loss.item()
            n += len(targets)
        losses[epoch] /= n
    return losses


# %% ex-04-5-user-clusters
# expect: 2 ok "under their raw ids"
def user_clusters(model, users, n_clusters, seed):
    vectors = model.user_factors(torch.arange(len(users))).detach().numpy().astype("float64")
    labels = KMeans(n_clusters, n_init=3, random_state=np.random.RandomState(seed)).fit_predict(vectors)
    raw_ids = users.decode(np.arange(len(users)))
    return pd.Series(labels, index=raw_ids).to_dict()


# %% ex-04-6-stability
# expect: 1 ok "on average"
def stability(labelings):
    matrix = np.array([[adjusted_rand_score(one, other) for one in labelings] for other in labelings])
    return matrix[~np.eye(len(labelings), dtype=bool)].mean()


# %% ex-04-7-cluster-sums
# expect: 2 ok "none of the user's own"
def cluster_sums(train, labels, cluster, user):
    sums, counts = [0.0] * train.n_items, [0] * train.n_items
    for u, i, r in zip(train.user_ids, train.item_ids, train.ratings):
        if labels[u] == cluster and u != user:
            sums[i] += float(r)
            counts[i] += 1
    return sums, counts


# %% ex-04-8-damped-means
# expect: 1 ok "the less the more ratings"
def damped_means(sums, counts, prior, damping):
    with np.errstate(invalid="ignore"):
        means = (sums + damping * prior) / (counts + damping)
    return np.nan_to_num(means, nan=prior)


# %% ex-04-9-recommend
# expect: 4 ok "raw ids, titles and genres fit"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    (me,) = train.users.encode([user])
    sums, counts = map(np.array, cluster_sums(train, labels, cluster, me))
    scores = damped_means(sums, counts, float(train.ratings.mean()), damping)
    scores[counts == 0] = -np.inf
    if me >= 0:
        scores[train.item_ids[train.user_ids == me]] = -np.inf
    rows = []
    for film in np.argsort(scores)[::-1][:n]:
        if np.isfinite(scores[film]):
            raw = int(train.items.decode([film])[0])
            rows.append(movies[movies["item_id"] == raw].iloc[0])
    return pd.DataFrame(rows, columns=["item_id", "title", "genres"])


# %% ex-04-10-genre-profile
# expect: 2 ok "whose film carries the genre"
def genre_profile(item_ids, values, genres):
    carried = pd.Series(genres).str.get_dummies("|").to_numpy()[item_ids]
    names = pd.Series(genres).str.get_dummies("|").columns
    present = carried.sum(axis=0) > 0
    return pd.Series(carried.T @ values, index=names)[present] / carried.sum(axis=0)[present]


# %% ex-04-11-nearest-films
# expect: 2 ok "whatever their length"
def nearest_films(item_vectors, item_id, n):
    def cosine(other):
        a, b = item_vectors[item_id], item_vectors[other]
        return a @ b / np.sqrt((a @ a) * (b @ b))

    return sorted((i for i in range(len(item_vectors)) if i != item_id), key=cosine, reverse=True)[:n]
