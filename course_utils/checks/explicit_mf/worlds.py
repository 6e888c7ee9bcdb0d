"""Lesson 01: what several of its checks share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from course_utils.checks.framework import World

SWAPPED = "Users look up rows of the user table, items rows of the item table: are the two swapped, or their sizes?"
NO_FORWARD = "The module needs a method called `forward` that takes user_ids and item_ids."
ONE_SCORE_A_PAIR = "One score a pair: sum over the factors (the last dimension) and keep the batch dimension."


def ratings_world(rng: np.random.Generator) -> World:
    """A few hundred pairs with stars, and a table of predictions for every pair."""
    n_users, n_items, n = int(rng.integers(11, 15)), int(rng.integers(17, 23)), 301
    public = {
        "user_ids": rng.integers(0, n_users, n),
        "item_ids": rng.integers(0, n_items, n),
        "ratings": rng.integers(1, 6, n).astype(np.float32),
        "table": rng.normal(3.5, 1.0, (n_users, n_items)).astype(np.float32),
    }
    return World(public=public)


def pairs(world) -> Iterator[tuple[int, int, float]]:
    """(user, item, stars) of every row, as Python numbers."""
    return zip(world.user_ids.tolist(), world.item_ids.tolist(), world.ratings.tolist(), strict=True)


def recognise(value, slips: dict[str, float], otherwise: str) -> str:
    """The slip whose figure came back, if one did."""
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iuf":
        for slip, figure in slips.items():
            if np.isclose(float(value.reshape(())), figure, atol=1e-4):
                return slip
    return otherwise
