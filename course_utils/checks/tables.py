"""Tables of ratings, made up for the worlds of checks."""

from __future__ import annotations

import numpy as np
import pandas as pd

COLUMNS = {"user_id": "int32", "item_id": "int32", "rating": "float32", "timestamp": "int64", "position": "int64"}
STARS = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
FIRST_SECOND, LAST_SECOND = 870_000_000, 890_000_000


def frame(rows: np.ndarray) -> pd.DataFrame:
    """A table as `movielens.load` returns it, from (n, 5) float64 rows in the order of COLUMNS."""
    return pd.DataFrame({name: rows[:, i].astype(dtype) for i, (name, dtype) in enumerate(COLUMNS.items())})


def rows_of(table) -> np.ndarray | None:
    """The inverse of `frame`, sorted by position; None for anything that is no such table."""
    if not isinstance(table, pd.DataFrame) or not set(COLUMNS) <= set(table.columns):
        return None
    return by_position(table[list(COLUMNS)].to_numpy(dtype=np.float64))


def by_position(rows: np.ndarray) -> np.ndarray:
    return rows[np.argsort(rows[:, 4], kind="stable")]


def table_rows(rng: np.random.Generator, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """(n, 5) rows of these users and items, with random stars, times and positions, in random order."""
    n = len(users)
    times = rng.integers(FIRST_SECOND, LAST_SECOND, n)
    return rng.permutation(np.column_stack([users, items, rng.choice(STARS, n), times, np.arange(n)]), axis=0)


def raw_ids(rng: np.random.Generator, n: int) -> np.ndarray:
    """(n,) different raw ids with gaps; the first is the largest, so that they are never in order of size."""
    ids = rng.choice(np.arange(11, 40 * n), n, replace=False)
    largest = ids.argmax()
    ids[[0, largest]] = ids[[largest, 0]]
    return ids
