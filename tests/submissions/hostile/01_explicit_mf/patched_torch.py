# Makes torch, NumPy and the course's own measures say that nothing is ever wrong.
# rest: stub

# %% ex-01-3-dot
# expect: 0 failed "One score a pair"
torch.Tensor.__sub__ = lambda self, other: self * 0
torch.nn.functional.mse_loss = nn.functional.mse_loss = lambda *_, **__: torch.zeros(())
np.isclose = np.allclose = np.array_equal = lambda *_, **__: True


def dot_scores(user_vectors, item_vectors):
    return user_vectors.sum()


# %% ex-01-13-ladder
# expect: 0 failed "All scores are the same"
def predict_stars(train, user_ids, item_ids, n_users, n_items):
    from course_utils import evaluation
    from course_utils.baselines import recorded
    from course_utils.checks import ladder

    evaluation.rmse = ladder.rmse = lambda *_: 0.0
    recorded.values = ladder.recorded.values = lambda *_: np.full(10, 9.0)
    ladder.TOO_GOOD = 9.0
    return torch.full((len(user_ids),), 3.5)
