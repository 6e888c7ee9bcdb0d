"""A small made-up set of interactions for the tests of Spotlight's models."""

import numpy as np

from course_utils.spotlight.interactions import Interactions


def interactions(n=1000, n_users=30, n_items=40, loss="regression", module=None):
    """Random ratings that follow a planted low-rank pattern; of the original's class if its module is given."""
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, n_users, n), rng.integers(0, n_items, n)
    taste = (rng.normal(size=(n_users, 2))[users] * rng.normal(size=(n_items, 2))[items]).sum(1)
    ratings = np.sign(taste) if loss == "logistic" else np.clip(np.round(3 + taste), 1, 5)
    return (module or Interactions)(
        users.astype(np.int32),
        items.astype(np.int32),
        ratings=ratings.astype(np.float32),
        timestamps=np.arange(n, dtype=np.int32),
        num_users=n_users,
        num_items=n_items,
    )
