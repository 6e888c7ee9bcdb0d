"""Who met what, for tests of the rivals."""

import numpy as np


def random_pairs(rng, n_users=40, n_items=25, share=0.2):
    """Who met what, in a random order."""
    users, items = np.nonzero(rng.random((n_users, n_items)) < share)
    order = rng.permutation(len(users))
    return users[order], items[order]
