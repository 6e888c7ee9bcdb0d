# Someone who got half-way, and whose lists break where nobody is left.
# rest: stub

# %% ex-04-1-two-way-ids
# expect: 2 ok "as numbers with gaps and as strings"
class TwoWayIds:
    def __init__(self, raw_ids):
        self.raw = np.array(list(dict.fromkeys(raw_ids.tolist())))
        self.place = dict(zip(self.raw.tolist(), range(len(self.raw))))

    def __len__(self):
        return self.raw.size

    def encode(self, raw_ids):
        return np.array([self.place.get(one, -1) for one in raw_ids.tolist()])

    def decode(self, dense_ids):
        return self.raw[dense_ids]


# %% ex-04-3-whole-batches
# expect: 0 failed "torch.randint, which draws rows again and again"
def whole_batches(features, targets, batch_size, generator):
    for rows in torch.randint(len(targets), (len(targets),), generator=generator).split(batch_size):
        yield features[rows], targets[rows]


# %% ex-04-6-stability
# expect: 1 ok "on average"
def stability(labelings):
    return np.array([adjusted_rand_score(*pair) for pair in combinations(labelings, 2)]).mean()


# %% ex-04-8-damped-means
# expect: 1 ok "the less the more ratings"
def damped_means(sums, counts, prior, damping):
    below = np.asarray(counts + damping, dtype=float)
    return np.divide(sums + damping * prior, below, out=np.full(len(below), prior), where=below > 0)


# %% ex-04-9-recommend
# expect: 3 failed "an empty table"
def recommend_items_for_cluster(cluster, user, train, labels, movies, n=5, damping=5.0):
    me = train.users.encode([user])[0]
    own = train.item_ids[train.user_ids == me]
    table = {}
    for u, i, r in zip(train.user_ids, train.item_ids, train.ratings):
        if labels[u] == cluster and u != me and i not in own:
            table.setdefault(i, []).append(r)
    if not table:
        return None
    mean = train.ratings.mean()
    score = {i: (sum(all_) + damping * mean) / (len(all_) + damping) for i, all_ in table.items()}
    best = sorted(score, key=score.get, reverse=True)[:n]
    return movies.set_index("item_id").loc[train.items.decode(best)].reset_index()


# %% ex-04-11-nearest-films
# expect: 0 failed "Those are cosines"
def nearest_films(item_vectors, item_id, n):
    unit = item_vectors / np.linalg.norm(item_vectors, axis=1, keepdims=True)
    return np.sort(unit @ unit[item_id])[::-1][1 : n + 1]
