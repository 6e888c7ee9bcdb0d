"""Ways to hold ratings back for a test, on tables as `movielens.load` returns them.

Half of all consecutive MovieLens events share their second, so "the latest" needs a tie rule: of two ratings with the
same timestamp, the one with the larger `position` (row in the data file) is the later. No two rows share a position,
so the order is complete, and neither the order of the rows nor the sort algorithm has a say. Every split returns
(train, test), both in order of position with a fresh index; together they hold every row once, unless rows are dropped
on request. No rows in, no rows out.
"""

import numpy as np
import pandas as pd

Split = tuple[pd.DataFrame, pd.DataFrame]


def in_time_order(ratings: pd.DataFrame) -> pd.DataFrame:
    """The rows by (timestamp, position), earliest first."""
    ratings = _in_order_of_position(ratings, "timestamp")
    return ratings.iloc[_time_order(ratings)].reset_index(drop=True)


def random_split(ratings: pd.DataFrame, test_fraction: float = 0.2, *, rng: np.random.Generator) -> Split:
    """Tests on rows drawn at random: round(test_fraction * n) of them."""
    ratings = _in_order_of_position(ratings)
    drawn = rng.permutation(len(ratings))[: _n_test(len(ratings), test_fraction)]
    return _split(ratings, drawn)


def time_split(ratings: pd.DataFrame, test_fraction: float = 0.2) -> Split:
    """Tests on the latest rows of all: round(test_fraction * n) of them, whoever they belong to."""
    ratings = _in_order_of_position(ratings, "timestamp")
    n_train = len(ratings) - _n_test(len(ratings), test_fraction)
    return _split(ratings, _time_order(ratings)[n_train:])


def leave_one_out(ratings: pd.DataFrame, *, max_dropped: int = 0, rng: np.random.Generator | None = None) -> Split:
    """Tests on every user's latest row. A user with one row has it in the test set and none in the training set.

    A split by time is always the same one. To repeat an experiment on fresh splits, let it end earlier: the latest d
    rows of each user are dropped first, d drawn evenly from 0 to max_dropped, or to n - 2 where the user has n rows and
    that is less, so that there is always one to train on beside the test row, where there was before.

    max_dropped  0 drops none, and draws nothing
    rng          needed where max_dropped is above 0
    """
    if max_dropped < 0:
        raise ValueError(f"max_dropped is {max_dropped}, expected at least 0")
    if max_dropped and rng is None:
        raise ValueError(f"max_dropped={max_dropped} needs a generator: give rng")
    ratings = _in_order_of_position(ratings, "user_id", "timestamp")
    if max_dropped:
        ratings = _without_latest(ratings, max_dropped, rng)
    order = _time_order(ratings)
    has_a_later_row = ratings["user_id"].iloc[order].duplicated(keep="last").to_numpy()
    return _split(ratings, order[~has_a_later_row])


def user_split(ratings: pd.DataFrame, test_fraction: float = 0.2, *, rng: np.random.Generator) -> Split:
    """Tests on whole users drawn at random: round(test_fraction * n_users) of them, with all their rows."""
    ratings = _in_order_of_position(ratings, "user_id")
    users = ratings["user_id"].drop_duplicates()  # by first position, whatever the order of the rows was
    drawn = rng.permutation(len(users))[: _n_test(len(users), test_fraction)]
    return _split(ratings, np.flatnonzero(ratings["user_id"].isin(users.iloc[drawn])))


def _in_order_of_position(ratings: pd.DataFrame, *needed: str) -> pd.DataFrame:
    """The rows by position. Raises ValueError where a column is missing, or a position is negative or occurs twice."""
    missing = [name for name in (*needed, "position") if name not in ratings.columns]
    if missing:
        raise ValueError(
            f"the ratings lack the column {', '.join(missing)}; they have {', '.join(map(str, ratings.columns))}"
        )
    position = ratings["position"].to_numpy()
    if (position[1:] <= position[:-1]).any():
        order = np.argsort(position)
        ratings, position = ratings.iloc[order], position[order]
    if len(position) and position[0] < 0:
        raise ValueError(f"position {position[0]} is negative: positions are rows of the data file, from 0")
    repeats = position[1:] == position[:-1]
    if repeats.any():
        raise ValueError(f"position {position[1:][repeats][0]} occurs twice: the order of its rows is undefined")
    return ratings


def _time_order(ratings: pd.DataFrame) -> np.ndarray:
    """(n,) int64, the rows by time; the rows are in order of position, so that a stable sort keeps the tie rule."""
    return np.argsort(ratings["timestamp"].to_numpy(), kind="stable")


def _without_latest(ratings: pd.DataFrame, max_dropped: int, rng: np.random.Generator) -> pd.DataFrame:
    users, _ = pd.factorize(ratings["user_id"])  # by first position, whatever the order of the rows was
    n_dropped = rng.integers(np.clip(np.bincount(users) - 2, 0, max_dropped), endpoint=True)  # (n_users,)
    order = _time_order(ratings)
    n_later = pd.Series(order).groupby(users[order]).cumcount(ascending=False).to_numpy()
    return ratings.iloc[np.sort(order[n_later >= n_dropped[users[order]]])]


def _n_test(n: int, test_fraction: float) -> int:
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction is {test_fraction}, expected a number between 0 and 1, both excluded")
    return round(test_fraction * n)


def _split(ratings: pd.DataFrame, test_rows: np.ndarray) -> Split:
    in_test = np.zeros(len(ratings), dtype=bool)
    in_test[test_rows] = True
    return ratings[~in_test].reset_index(drop=True), ratings[in_test].reset_index(drop=True)
