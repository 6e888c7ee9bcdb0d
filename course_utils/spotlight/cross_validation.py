"""Splits of interactions into a training and a test part, drawn as Spotlight draws them.

With the same numpy.random.RandomState the parts are identical to the original's, row by row.
"""

from __future__ import annotations

import numpy as np
from sklearn.utils import murmurhash3_32

from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.randomness import RandomState, as_random_state


def shuffle_interactions(interactions: Interactions, random_state: RandomState = None) -> Interactions:
    """The same interactions in a random order."""
    order = np.arange(len(interactions))
    as_random_state(random_state).shuffle(order)
    return interactions.take(order)


def random_train_test_split(
    interactions: Interactions, test_percentage: float = 0.2, random_state: RandomState = None
) -> tuple[Interactions, Interactions]:
    """Shuffle; the first int((1 - test_percentage) * n) rows are the training part, the others the test part.

    test_percentage  a fraction in [0, 1], despite its name
    returns          (train, test); both know all users and items, though some may have no row in one of them
    raises           ValueError if test_percentage is not in [0, 1]
    """
    _check_fraction(test_percentage)
    shuffled = shuffle_interactions(interactions, random_state=random_state)
    cutoff = int((1.0 - test_percentage) * len(shuffled))
    return shuffled.take(slice(None, cutoff)), shuffled.take(slice(cutoff, None))


def user_based_train_test_split(
    interactions: Interactions, test_percentage: float = 0.2, random_state: RandomState = None
) -> tuple[Interactions, Interactions]:
    """Put all rows of a user into one part, chosen by a hash of the user id. The order of rows stays.

    test_percentage  a fraction in [0, 1], despite its name. A user is in the test part if the hash modulo 100 is less
                     than 100 times this, so the share of users is only about as large.
    returns          (train, test); both know all users and items
    raises           ValueError if test_percentage is not in [0, 1]
    """
    _check_fraction(test_percentage)
    seed = as_random_state(random_state).randint(0, 2**32 - 1, dtype=np.int64)
    hashes = murmurhash3_32(interactions.user_ids.astype(np.int32), seed=seed, positive=True)
    in_test = hashes % 100 / 100.0 < test_percentage
    return interactions.take(~in_test), interactions.take(in_test)


def _check_fraction(test_percentage: float) -> None:
    if not 0 <= test_percentage <= 1:
        raise ValueError(f"test_percentage is a fraction between 0 and 1, got {test_percentage}")
