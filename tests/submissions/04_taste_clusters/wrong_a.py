# Someone who mixes up ids: gaps, swapped maps, dense for raw, films for users.
# rest: reference

# %% ex-04-1-two-way-ids
# expect: 0 failed "That counts the gaps in as well"
class TwoWayIds:
    def __init__(self, raw_ids):
        self.first = raw_ids.min()
        self.n = raw_ids.max() - raw_ids.min() + 1

    def __len__(self):
        return int(self.n)

    def encode(self, raw_ids):
        dense = raw_ids - self.first
        return np.where((dense >= 0) & (dense < self.n), dense, -1)

    def decode(self, dense_ids):
        return dense_ids + self.first


# %% ex-04-2-ratings-dataset
# expect: 0 error "are users and items swapped"
class RatingsDataset(Dataset):
    def __init__(self, ratings, users, items):
        pairs = np.column_stack([items.encode(ratings["user_id"]), users.encode(ratings["item_id"])])
        known = (pairs >= 0).all(axis=1)
        self.features = torch.as_tensor(pairs[known])
        self.targets = torch.as_tensor(ratings["rating"].to_numpy()[known], dtype=torch.float32)
        self.n_dropped = int((~known).sum())

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, row):
        return self.features[row], self.targets[row]


# %% ex-04-3-whole-batches
# expect: 0 failed "Features and targets were shuffled apart"
def whole_batches(features, targets, batch_size, generator):
    features = features[torch.randperm(len(features), generator=generator)]
    targets = targets[torch.randperm(len(targets), generator=generator)]
    return list(zip(features.split(batch_size), targets.split(batch_size)))


# %% ex-04-4-fit
# expect: 0 failed "make one optimiser before the first epoch"
def fit(model, epoch_batches, n_epochs, learning_rate):
    losses = []
    for _ in range(n_epochs):
        optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
        total, n = 0.0, 0
        for features, targets in epoch_batches():
            loss = nn.functional.mse_loss(model(features), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, n = total + loss.item() * len(targets), n + len(targets)
        losses.append(total / n)
    return losses


# %% ex-04-5-user-clusters
# expect: 0 failed "Those are the clusters of the films' vectors"
def user_clusters(model, users, n_clusters, seed):
    vectors = model.item_factors.weight.detach().numpy()
    labels = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(vectors)
    return dict(zip(users.raw_ids.tolist(), labels.tolist()))


# %% ex-04-6-stability
# expect: 0 failed "what a cluster is called does not matter"
def stability(labelings):
    return np.mean([np.mean(one == other) for one, other in combinations(labelings, 2)])


# %% ex-04-7-cluster-sums
# expect: 0 failed "The user's own ratings are in it"
def cluster_sums(train, labels, cluster, user):
    counted = labels[train.user_ids] == cluster
    films, stars = train.item_ids[counted], train.ratings[counted]
    return np.bincount(films, stars, train.n_items), np.bincount(films, minlength=train.n_items)


# %% ex-04-8-damped-means
# expect: 0 failed "Those are the plain means"
def damped_means(sums, counts, prior, damping):
    return np.where(counts > 0, sums / np.maximum(counts, 1), prior)


# %% ex-04-9-recommend
# expect: 0 failed "Those are dense ids"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    own = train.user_ids == train.users.encode([user])[0]
    counted = (labels[train.user_ids] == cluster) & ~own
    films = train.item_ids[counted]
    counts = np.bincount(films, minlength=train.n_items)
    sums = np.bincount(films, weights=train.ratings[counted], minlength=train.n_items)
    scores = (sums + damping * train.ratings.mean()) / np.maximum(counts + damping, 1e-9)
    candidates = np.setdiff1d(films, train.item_ids[own])
    best = candidates[np.argsort(-scores[candidates])][:n]
    return pd.DataFrame({"item_id": best}).merge(movies, on="item_id", how="left")


# %% ex-04-10-genre-profile
# expect: 0 failed "The empty text is no genre"
def genre_profile(item_ids, values, genres):
    rows = pd.DataFrame({"genre": [genres[i].split("|") for i in item_ids], "value": values}).explode("genre")
    return rows.groupby("genre")["value"].mean().to_dict()


# %% ex-04-11-nearest-films
# expect: 0 failed "The film is its own nearest neighbour"
def nearest_films(item_vectors, item_id, n):
    unit = item_vectors / np.linalg.norm(item_vectors, axis=1, keepdims=True)
    return np.argsort(-(unit @ unit[item_id]))[:n]
