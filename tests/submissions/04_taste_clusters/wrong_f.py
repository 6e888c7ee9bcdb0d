# Someone whose answers fit the example and nothing else: a fixed seed, the user's own cluster, a prior of the cluster.
# rest: reference

# %% ex-04-4-fit
# expect: 0 error "epoch_batches is a function: call it"
def fit(model, epoch_batches, n_epochs, learning_rate):
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(n_epochs):
        total, n = 0.0, 0
        for features, targets in epoch_batches:
            loss = nn.functional.mse_loss(model(features), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, n = total + loss.item() * len(targets), n + len(targets)
        losses.append(total / n)
    return losses


# %% ex-04-5-user-clusters
# expect: 0 failed "The seed that is passed in is not used"
def user_clusters(model, users, n_clusters, seed):
    labels = KMeans(n_clusters, n_init=10, random_state=0).fit_predict(model.user_factors.weight.detach().numpy())
    return dict(zip(users.raw_ids.tolist(), labels.tolist()))


# %% ex-04-7-cluster-sums
# expect: 0 failed "keeps only the last of each"
def cluster_sums(train, labels, cluster, user):
    counted = (labels[train.user_ids] == cluster) & (train.user_ids != user)
    sums, counts = np.zeros(train.n_items), np.zeros(train.n_items)
    sums[train.item_ids[counted]] += train.ratings[counted]
    counts[train.item_ids[counted]] += 1
    return sums, counts


# %% ex-04-9-recommend
# expect: 0 failed "The prior is the mean of all ratings in train, not that of the cluster's"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    own = train.user_ids == train.users.encode([user])[0]
    counted = (labels[train.user_ids] == cluster) & ~own
    films = train.item_ids[counted]
    prior = train.ratings[counted].mean() if counted.any() else 0.0
    counts = np.bincount(films, minlength=train.n_items)
    sums = np.bincount(films, weights=train.ratings[counted], minlength=train.n_items)
    scores = (sums + damping * prior) / np.maximum(counts + damping, 1e-9)
    candidates = np.setdiff1d(films, train.item_ids[own])
    best = candidates[np.argsort(-scores[candidates])][:n]
    return movies.set_index("item_id").loc[train.items.decode(best), ["title", "genres"]].reset_index()


# %% ex-04-11-nearest-films
# expect: 0 failed "The film itself is in it, before films with a cosine below 0"
def nearest_films(item_vectors, item_id, n):
    unit = item_vectors / np.linalg.norm(item_vectors, axis=1, keepdims=True)
    cosines = unit @ unit[item_id]
    cosines[item_id] = 0
    return np.argsort(-cosines)[:n]
