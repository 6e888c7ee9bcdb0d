"""From raw ids to dense ones, and from a table of ratings to arrays and a sparse matrix.

An embedding table has rows 0 to n - 1, but raw ids have gaps, start anywhere, or are strings. `IdMap` numbers them by
first appearance, in both directions; `encode` does so for a whole table of ratings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from course_utils.whole_numbers import of_whole_dtype

RATING_COLUMNS = ("user_id", "item_id", "rating", "timestamp", "position")


class IdMap:
    """Raw ids (whole numbers or strings) to dense ids 0 to n - 1, and back.

    raw_ids   (n,) the raw id of each dense id; all different, none missing
    """

    def __init__(self, raw_ids: Sequence | np.ndarray | pd.Series) -> None:
        index = pd.Index(_one_dimensional(raw_ids))
        if index.hasnans:
            raise ValueError(f"raw id {int(index.isna().argmax())} of {len(index)} is missing")
        if not index.is_unique:
            raise ValueError(f"raw id {index[index.duplicated()].tolist()[0]!r} occurs twice")
        self._index = index

    @classmethod
    def fit(cls, raw_ids: Sequence | np.ndarray | pd.Series) -> "IdMap":
        """Numbers the ids of a column in order of first appearance; repeats are welcome."""
        return cls(pd.unique(_one_dimensional(raw_ids)))

    @property
    def raw_ids(self) -> np.ndarray:
        """(n,) the raw id of each dense id."""
        return self._index.to_numpy()

    def encode(self, raw_ids: Sequence | np.ndarray | pd.Series) -> np.ndarray:
        """raw_ids (n,) -> dense ids (n,) int64; -1 for an id that was not seen when the map was made."""
        return self._index.get_indexer(_one_dimensional(raw_ids)).astype(np.int64, copy=False)

    def decode(self, dense_ids: Sequence | np.ndarray) -> np.ndarray:
        """dense_ids (n,) int, each in [0, len(self)) -> raw ids (n,). Raises ValueError for any other number."""
        dense_ids = of_whole_dtype(dense_ids, "dense ids")
        outside = (dense_ids < 0) | (dense_ids >= len(self))
        if outside.any():
            raise ValueError(f"dense id {dense_ids[outside][0]} does not fit the {len(self)} ids of this map")
        return self.raw_ids[dense_ids]

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        return f"IdMap({len(self)} ids)"


@dataclass(frozen=True)
class EncodedRatings:
    """Ratings as arrays with dense ids, row by row as in the table they come from.

    user_ids     (n,) int64, in [0, n_users)
    item_ids     (n,) int64, in [0, n_items)
    ratings      (n,) float32, stars
    timestamps   (n,) int64, seconds since 1970
    positions    (n,) int64, row in the data file, the tie rule of every order by time
    users        raw user ids; its length is n_users, whether or not all of them occur in these rows
    items        raw item ids; its length is n_items
    """

    user_ids: np.ndarray
    item_ids: np.ndarray
    ratings: np.ndarray
    timestamps: np.ndarray
    positions: np.ndarray
    users: IdMap
    items: IdMap

    @property
    def n_users(self) -> int:
        return len(self.users)

    @property
    def n_items(self) -> int:
        return len(self.items)

    def __len__(self) -> int:
        return len(self.user_ids)

    def to_csr(self) -> sparse.csr_array:
        """The ratings as a sparse matrix (n_users, n_items) float32; a cell without a rating is not stored.

        Raises ValueError where a user rated an item twice: the matrix would silently hold the sum.
        """
        shape = (self.n_users, self.n_items)
        matrix = sparse.coo_array((self.ratings, (self.user_ids, self.item_ids)), shape=shape).tocsr()
        if matrix.nnz != len(self):
            pairs = pd.DataFrame({"user": self.user_ids, "item": self.item_ids})
            user, item = pairs[pairs.duplicated()].iloc[0]
            raise ValueError(
                f"user {user} rated item {item} more than once (dense ids): {len(self)} rows, one cell a pair"
            )
        return matrix


def encode(ratings: pd.DataFrame, users: IdMap | None = None, items: IdMap | None = None) -> EncodedRatings:
    """Gives dense ids to a table of ratings, numbered by first appearance, or by given maps.

    ratings   columns user_id, item_id, rating, timestamp, position (see movielens.load)
    users     where given, rows of a user not in it are dropped, as nothing was learnt about them
    items     the same for items
    returns   the rows that are left, in the order of the table; `len(ratings) - len(encoded)` rows were dropped
    """
    missing = [name for name in RATING_COLUMNS if name not in ratings.columns]
    if missing:
        raise ValueError(
            f"the ratings lack the column {', '.join(missing)}; they have {', '.join(map(str, ratings.columns))}"
        )
    if users is not None:
        ratings = _only_seen(ratings, users, "user_id")
    if items is not None:
        ratings = _only_seen(ratings, items, "item_id")
    users = IdMap.fit(ratings["user_id"]) if users is None else users
    items = IdMap.fit(ratings["item_id"]) if items is None else items
    return EncodedRatings(
        user_ids=users.encode(ratings["user_id"]),
        item_ids=items.encode(ratings["item_id"]),
        ratings=ratings["rating"].to_numpy(np.float32, copy=True),  # copies, as pandas' own arrays may be read-only
        timestamps=ratings["timestamp"].to_numpy(np.int64, copy=True),
        positions=ratings["position"].to_numpy(np.int64, copy=True),
        users=users,
        items=items,
    )


def _only_seen(ratings: pd.DataFrame, ids: IdMap, column: str) -> pd.DataFrame:
    seen = ids.encode(ratings[column]) >= 0
    return ratings if seen.all() else ratings[seen]


def _one_dimensional(raw_ids: Sequence | np.ndarray | pd.Series) -> pd.Series:
    column = raw_ids if isinstance(raw_ids, pd.Series) else np.asarray(raw_ids)
    if column.ndim != 1:
        raise ValueError(f"raw ids are a column of one dimension, found shape {column.shape}")
    return pd.Series(column)
