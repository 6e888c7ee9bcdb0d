# Someone whose lists go back through the wrong map, and whose other answers stop half a step before the end.
# rest: reference

# %% ex-04-2-ratings-dataset
# expect: 0 failed "torch.int64, torch.float32"
class RatingsDataset(Dataset):
    def __init__(self, ratings, users, items):
        pairs = np.column_stack([users.encode(ratings["user_id"]), items.encode(ratings["item_id"])])
        known = (pairs >= 0).all(axis=1)
        self.features = torch.as_tensor(pairs[known])
        self.targets = torch.as_tensor(ratings["rating"].to_numpy(dtype=float)[known])
        self.n_dropped = int((~known).sum())

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, row):
        return self.features[row], self.targets[row]


# %% ex-04-3-whole-batches
# expect: 0 failed "Shuffle"
def whole_batches(features, targets, batch_size, generator):
    return list(zip(features.split(batch_size), targets.split(batch_size)))


# %% ex-04-4-fit
# expect: 0 failed "the loss of each epoch's last batch"
def fit(model, epoch_batches, n_epochs, learning_rate):
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(n_epochs):
        for features, targets in epoch_batches():
            loss = nn.functional.mse_loss(model(features), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    return losses


# %% ex-04-5-user-clusters
# expect: 0 error ".detach().numpy()"
def user_clusters(model, users, n_clusters, seed):
    labels = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(model.user_factors.weight)
    return dict(zip(users.raw_ids.tolist(), labels.tolist()))


# %% ex-04-7-cluster-sums
# expect: 0 failed "as an index, -1 is the last user"
def cluster_sums(train, labels, cluster, user):
    members = labels == cluster
    members[user] = False
    counted = members[train.user_ids]
    films = train.item_ids[counted]
    sums = np.bincount(films, weights=train.ratings[counted], minlength=train.n_items)
    return sums, np.bincount(films, minlength=train.n_items)


# %% ex-04-8-damped-means
# expect: 0 failed "The damping is missing below the line"
def damped_means(sums, counts, prior, damping):
    return (sums + damping * prior) / np.maximum(counts, 1)


# %% ex-04-9-recommend
# expect: 0 failed "through the map of the users"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    own = train.user_ids == train.users.encode([user])[0]
    counted = (labels[train.user_ids] == cluster) & ~own
    films = train.item_ids[counted]
    counts = np.bincount(films, minlength=train.n_items)
    sums = np.bincount(films, weights=train.ratings[counted], minlength=train.n_items)
    scores = (sums + damping * train.ratings.mean()) / np.maximum(counts + damping, 1e-9)
    candidates = np.setdiff1d(films, train.item_ids[own])
    best = candidates[np.argsort(-scores[candidates])][:n]
    return pd.DataFrame({"item_id": train.users.decode(best)}).merge(movies, on="item_id", how="left")


# %% ex-04-10-genre-profile
# expect: 0 failed "Noir was found in Film-Noir"
def genre_profile(item_ids, values, genres):
    texts = pd.Series(genres)[item_ids].reset_index(drop=True)
    names = {name for text in texts for name in text.split("|")} - {""}
    return {name: values[texts.str.contains(name, regex=False).to_numpy()].mean() for name in names}


# %% ex-04-11-nearest-films
# expect: 0 failed "take the film itself out first"
def nearest_films(item_vectors, item_id, n):
    unit = item_vectors / np.linalg.norm(item_vectors, axis=1, keepdims=True)
    return np.argsort(-(unit @ unit[item_id]))[1:n]
