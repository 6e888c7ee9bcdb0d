"""Negative items as Spotlight draws them."""

from __future__ import annotations

import numpy as np

from course_utils.spotlight.randomness import RandomState, as_random_state


def sample_items(num_items: int, shape: int | tuple[int, ...], random_state: RandomState = None) -> np.ndarray:
    """Item ids, all equally likely, with repeats. Items that a user has met are not left out, nor is the padding item.

    returns  int64 of the given shape, values in [0, num_items)
    """
    return as_random_state(random_state).randint(0, num_items, shape, dtype=np.int64)
