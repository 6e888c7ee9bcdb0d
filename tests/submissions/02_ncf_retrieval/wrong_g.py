# Someone who counts one too many.
# rest: reference

# %% ex-02-12-catalogue-ranks
# expect: 0 failed "The target equals itself"
def catalogue_ranks(score_users, train, test):
    met = np.zeros((train.n_users, train.n_items), dtype=bool)
    met[train.user_ids, train.item_ids] = True
    scores = np.where(met[test.user_ids], -np.inf, score_users(test.user_ids))
    own = scores[np.arange(len(scores)), test.item_ids][:, None]
    return 1 + (scores > own).sum(axis=1) + (scores == own).sum(axis=1) / 2
