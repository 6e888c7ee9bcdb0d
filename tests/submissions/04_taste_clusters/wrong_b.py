# Someone who forgets: unseen ids, the last batch, zero_grad, the seed, the cluster, films already seen.
# rest: reference

# %% ex-04-1-two-way-ids
# expect: 0 error "answer -1 for it"
class TwoWayIds:
    def __init__(self, raw_ids):
        self.raw = np.unique(raw_ids)
        self.dense = {raw: dense for dense, raw in enumerate(self.raw)}

    def __len__(self):
        return len(self.raw)

    def encode(self, raw_ids):
        return np.array([self.dense[raw] for raw in raw_ids])

    def decode(self, dense_ids):
        return self.raw[dense_ids]


# %% ex-04-2-ratings-dataset
# expect: 0 failed "No row was left out"
class RatingsDataset(Dataset):
    def __init__(self, ratings, users, items):
        pairs = np.column_stack([users.encode(ratings["user_id"]), items.encode(ratings["item_id"])])
        self.features = torch.as_tensor(pairs)
        self.targets = torch.as_tensor(ratings["rating"].to_numpy(), dtype=torch.float32)
        self.n_dropped = 0

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, row):
        return self.features[row], self.targets[row]


# %% ex-04-3-whole-batches
# expect: 0 failed "The last batch is missing"
def whole_batches(features, targets, batch_size, generator):
    order = torch.randperm(len(targets), generator=generator)
    for number in range(len(targets) // batch_size):
        rows = order[number * batch_size : (number + 1) * batch_size]
        yield features[rows], targets[rows]


# %% ex-04-4-fit
# expect: 0 failed "Gradients add up until you clear them"
def fit(model, epoch_batches, n_epochs, learning_rate):
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(n_epochs):
        total, n = 0.0, 0
        for features, targets in epoch_batches():
            loss = nn.functional.mse_loss(model(features), targets)
            loss.backward()
            optimizer.step()
            total, n = total + loss.item() * len(targets), n + len(targets)
        losses.append(total / n)
    return losses


# %% ex-04-5-user-clusters
# expect: 0 failed "pass random_state=seed"
def user_clusters(model, users, n_clusters, seed):
    labels = KMeans(n_clusters, n_init=10).fit_predict(model.user_factors.weight.detach().numpy())
    return dict(zip(users.raw_ids.tolist(), labels.tolist()))


# %% ex-04-6-stability
# expect: 0 failed "Pairs of a labeling with itself are counted"
def stability(labelings):
    return np.mean([adjusted_rand_score(one, other) for one in labelings for other in labelings])


# %% ex-04-7-cluster-sums
# expect: 0 failed "Those are the ratings of all users"
def cluster_sums(train, labels, cluster, user):
    others = train.user_ids != user
    films, stars = train.item_ids[others], train.ratings[others]
    return np.bincount(films, stars, train.n_items), np.bincount(films, minlength=train.n_items)


# %% ex-04-8-damped-means
# expect: 0 failed "The damping is missing above the line"
def damped_means(sums, counts, prior, damping):
    return np.where(counts > 0, sums / np.maximum(counts + damping, 1), 0)


# %% ex-04-9-recommend
# expect: 0 failed "Films that the user has rated are among them"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    own = train.user_ids == train.users.encode([user])[0]
    counted = (labels[train.user_ids] == cluster) & ~own
    films = train.item_ids[counted]
    counts = np.bincount(films, minlength=train.n_items)
    sums = np.bincount(films, weights=train.ratings[counted], minlength=train.n_items)
    scores = (sums + damping * train.ratings.mean()) / np.maximum(counts + damping, 1e-9)
    candidates = np.unique(films)
    best = candidates[np.argsort(-scores[candidates])][:n]
    return movies.set_index("item_id").loc[train.items.decode(best), ["title", "genres"]].reset_index()


# %% ex-04-10-genre-profile
# expect: 0 failed "a film with three genres counts for each"
def genre_profile(item_ids, values, genres):
    first = pd.Series([genres[i].split("|")[0] for i in item_ids])
    return pd.Series(values).groupby(first[first != ""]).mean().to_dict()


# %% ex-04-11-nearest-films
# expect: 0 failed "favours long vectors"
def nearest_films(item_vectors, item_id, n):
    order = np.argsort(-(item_vectors @ item_vectors[item_id]))
    return order[order != item_id][:n]
