# Someone who mixes up what an array is indexed by, and which vectors are asked for.
# rest: reference

# %% ex-04-5-user-clusters
# expect: 0 failed "cluster them as they are"
def user_clusters(model, users, n_clusters, seed):
    vectors = model.user_factors.weight.detach().numpy()
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(vectors)
    return dict(zip(users.raw_ids.tolist(), labels.tolist()))


# %% ex-04-7-cluster-sums
# expect: 0 failed "labels[train.user_ids], not labels[train.item_ids]"
def cluster_sums(train, labels, cluster, user):
    counted = (labels[train.item_ids] == cluster) & (train.user_ids != user)
    films, stars = train.item_ids[counted], train.ratings[counted]
    return np.bincount(films, stars, train.n_items), np.bincount(films, minlength=train.n_items)


# %% ex-04-9-recommend
# expect: 0 failed "candidates[order] are the films"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    own = train.user_ids == train.users.encode([user])[0]
    counted = (labels[train.user_ids] == cluster) & ~own
    films = train.item_ids[counted]
    counts = np.bincount(films, minlength=train.n_items)
    sums = np.bincount(films, weights=train.ratings[counted], minlength=train.n_items)
    scores = (sums + damping * train.ratings.mean()) / np.maximum(counts + damping, 1e-9)
    candidates = np.setdiff1d(films, train.item_ids[own])
    best = np.argsort(-scores[candidates])[:n]
    return movies.set_index("item_id").loc[train.items.decode(best), ["title", "genres"]].reset_index()


# %% ex-04-11-nearest-films
# expect: 0 failed "divide each row by its own length"
def nearest_films(item_vectors, item_id, n):
    unit = item_vectors / np.linalg.norm(item_vectors, axis=0, keepdims=True)
    order = np.argsort(-(unit @ unit[item_id]))
    return order[order != item_id][:n]
