# Someone who takes shortcuts: unseen is zero, means of means, the first pair, a title by its place.
# rest: reference

# %% ex-04-1-two-way-ids
# expect: 0 failed "An unseen id was given the number of a film that is there"
class TwoWayIds:
    def __init__(self, raw_ids):
        self.raw = np.unique(raw_ids)

    def __len__(self):
        return len(self.raw)

    def encode(self, raw_ids):
        return np.searchsorted(self.raw, raw_ids).clip(max=len(self.raw) - 1)

    def decode(self, dense_ids):
        return self.raw[dense_ids]


# %% ex-04-2-ratings-dataset
# expect: 0 failed "The columns are swapped"
class RatingsDataset(Dataset):
    def __init__(self, ratings, users, items):
        pairs = np.column_stack([items.encode(ratings["item_id"]), users.encode(ratings["user_id"])])
        known = (pairs >= 0).all(axis=1)
        self.features = torch.as_tensor(pairs[known])
        self.targets = torch.as_tensor(ratings["rating"].to_numpy()[known], dtype=torch.float32)
        self.n_dropped = int((~known).sum())

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, row):
        return self.features[row], self.targets[row]


# %% ex-04-3-whole-batches
# expect: 0 failed "A seed that is fixed inside"
def whole_batches(features, targets, batch_size, generator):
    torch.manual_seed(0)
    for rows in torch.randperm(len(targets)).split(batch_size):
        yield features[rows], targets[rows]


# %% ex-04-4-fit
# expect: 0 failed "That is the mean over batches"
def fit(model, epoch_batches, n_epochs, learning_rate):
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(n_epochs):
        epoch = []
        for features, targets in epoch_batches():
            loss = nn.functional.mse_loss(model(features), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch.append(loss.item())
        losses.append(np.mean(epoch))
    return losses


# %% ex-04-5-user-clusters
# expect: 0 failed "Those are dense ids"
def user_clusters(model, users, n_clusters, seed):
    labels = KMeans(n_clusters, random_state=seed).fit_predict(model.user_factors.weight.detach().numpy())
    return dict(enumerate(labels.tolist()))


# %% ex-04-6-stability
# expect: 0 failed "That compares the first labeling with the others only"
def stability(labelings):
    return np.mean([adjusted_rand_score(labelings[0], other) for other in labelings[1:]])


# %% ex-04-7-cluster-sums
# expect: 0 failed "Those are means"
def cluster_sums(train, labels, cluster, user):
    counted = (labels[train.user_ids] == cluster) & (train.user_ids != user)
    films, stars = train.item_ids[counted], train.ratings[counted]
    counts = np.bincount(films, minlength=train.n_items)
    return np.bincount(films, stars, train.n_items) / np.maximum(counts, 1), counts


# %% ex-04-8-damped-means
# expect: 0 failed "0 / 0 is no number"
def damped_means(sums, counts, prior, damping):
    return (sums + damping * prior) / (counts + damping)


# %% ex-04-9-recommend
# expect: 2 failed "Titles and genres belong to other films"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    own = train.user_ids == train.users.encode([user])[0]
    counted = (labels[train.user_ids] == cluster) & ~own
    films = train.item_ids[counted]
    counts = np.bincount(films, minlength=train.n_items)
    sums = np.bincount(films, weights=train.ratings[counted], minlength=train.n_items)
    scores = (sums + damping * train.ratings.mean()) / np.maximum(counts + damping, 1e-9)
    candidates = np.setdiff1d(films, train.item_ids[own])
    best = candidates[np.argsort(-scores[candidates])][:n]
    return movies.iloc[best].assign(item_id=train.items.decode(best))


# %% ex-04-10-genre-profile
# expect: 0 failed "That is a mean over films"
def genre_profile(item_ids, values, genres):
    films = pd.Series(values).groupby(item_ids).mean()
    rows = pd.DataFrame({"genre": [genres[i].split("|") for i in films.index], "value": films.values}).explode("genre")
    return rows[rows["genre"] != ""].groupby("genre")["value"].mean().to_dict()


# %% ex-04-11-nearest-films
# expect: 0 failed "Those are the least alike"
def nearest_films(item_vectors, item_id, n):
    unit = item_vectors / np.linalg.norm(item_vectors, axis=1, keepdims=True)
    order = np.argsort(unit @ unit[item_id])
    return order[order != item_id][:n]
