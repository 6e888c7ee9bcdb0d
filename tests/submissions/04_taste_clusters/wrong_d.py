# Someone who is nearly there: one case is missing in each answer.
# rest: reference

# %% ex-04-1-two-way-ids
# expect: 0 failed "decode returns raw ids"
class TwoWayIds:
    def __init__(self, raw_ids):
        self.index = pd.Index(pd.unique(pd.Series(raw_ids)))

    def __len__(self):
        return len(self.index)

    def encode(self, raw_ids):
        return self.index.get_indexer(pd.Index(raw_ids))

    def decode(self, dense_ids):
        return np.asarray(dense_ids)


# %% ex-04-2-ratings-dataset
# expect: 0 failed "one row, not two"
class RatingsDataset(Dataset):
    def __init__(self, ratings, users, items):
        pairs = np.column_stack([users.encode(ratings["user_id"]), items.encode(ratings["item_id"])])
        known = (pairs >= 0).all(axis=1)
        self.features = torch.as_tensor(pairs[known])
        self.targets = torch.as_tensor(ratings["rating"].to_numpy()[known], dtype=torch.float32)
        self.n_dropped = int((pairs < 0).sum())

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, row):
        return self.features[row], self.targets[row]


# %% ex-04-3-whole-batches
# expect: 0 failed "Rows are fetched one by one"
def whole_batches(features, targets, batch_size, generator):
    return DataLoader(TensorDataset(features, targets), batch_size, shuffle=True, generator=generator)


# %% ex-04-4-fit
# expect: 0 failed "That is plain gradient descent"
def fit(model, epoch_batches, n_epochs, learning_rate):
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(n_epochs):
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
# expect: 0 failed "The raw ids were sorted"
def user_clusters(model, users, n_clusters, seed):
    labels = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(model.user_factors.weight.detach().numpy())
    return dict(zip(sorted(users.raw_ids.tolist()), labels.tolist()))


# %% ex-04-6-stability
# expect: 0 failed "Those are the plain Rand indices"
def stability(labelings):
    from sklearn.metrics import rand_score

    return float(np.mean([rand_score(one, other) for one, other in combinations(labelings, 2)]))


# %% ex-04-7-cluster-sums
# expect: 0 failed "minlength=train.n_items"
def cluster_sums(train, labels, cluster, user):
    counted = (labels[train.user_ids] == cluster) & (train.user_ids != user)
    films = train.item_ids[counted]
    return np.bincount(films, weights=train.ratings[counted]), np.bincount(films)


# %% ex-04-8-damped-means
# expect: 0 failed "The weights are swapped"
def damped_means(sums, counts, prior, damping):
    means = np.where(counts > 0, sums / np.maximum(counts, 1), prior)
    share = counts / (counts + damping)
    return share * prior + (1 - share) * means


# %% ex-04-9-recommend
# expect: 3 failed "that is the last user, whose films were left out"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    me = train.users.encode([user])[0]
    stars = train.to_csr().toarray()
    others = (labels == cluster) & (np.arange(train.n_users) != me)
    sums, counts = stars[others].sum(axis=0), (stars[others] > 0).sum(axis=0)
    scores = (sums + damping * train.ratings.mean()) / np.maximum(counts + damping, 1e-9)
    candidates = np.flatnonzero((counts > 0) & (stars[me] == 0))
    best = candidates[np.argsort(-scores[candidates])][:n]
    return movies.set_index("item_id").loc[train.items.decode(best), ["title", "genres"]].reset_index()


# %% ex-04-10-genre-profile
# expect: 0 failed "not by the number of all"
def genre_profile(item_ids, values, genres):
    totals = {}
    for film, value in zip(item_ids, values):
        for genre in genres[film].split("|"):
            if genre:
                totals[genre] = totals.get(genre, 0) + value
    return {genre: total / len(item_ids) for genre, total in totals.items()}


# %% ex-04-11-nearest-films
# expect: 0 failed "Euclidean distance"
def nearest_films(item_vectors, item_id, n):
    order = np.argsort(np.linalg.norm(item_vectors - item_vectors[item_id], axis=1))
    return order[order != item_id][:n]
