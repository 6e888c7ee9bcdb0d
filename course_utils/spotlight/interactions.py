"""The data that Spotlight's models are fitted on: parallel arrays, one entry an interaction of a user with an item."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from course_utils.sequences import cut_windows
from course_utils.whole_numbers import of_whole_dtype, whole_number


class Interactions:
    """Who met which item, and optionally the rating, the time and a weight. Everything given is an attribute.

    Every array keeps the dtype it has.

    user_ids    (n,) of any integer dtype, values in [0, num_users)
    item_ids    (n,) of any integer dtype, values in [0, num_items)
    ratings     (n,) numbers or None
    timestamps  (n,) numbers or None
    weights     (n,) numbers or None; kept by splits, used by no model
    num_users   the largest user id + 1 if None or 0
    num_items   the largest item id + 1 if None or 0
    raises      ValueError if lengths differ, an id or a declared number is negative, an id does not fit the declared
                number, or there is neither an id nor a declared number; TypeError for ids or declared numbers that are
                not whole
    """

    def __init__(
        self,
        user_ids: np.ndarray,
        item_ids: np.ndarray,
        ratings: np.ndarray | None = None,
        timestamps: np.ndarray | None = None,
        weights: np.ndarray | None = None,
        num_users: int | None = None,
        num_items: int | None = None,
    ) -> None:
        self.user_ids = of_whole_dtype(user_ids, "user_ids")
        self.item_ids = of_whole_dtype(item_ids, "item_ids")
        self.ratings = _array_or_none(ratings)
        self.timestamps = _array_or_none(timestamps)
        self.weights = _array_or_none(weights)
        if self.user_ids.ndim != 1:
            raise ValueError(f"user_ids has the shape {self.user_ids.shape}, expected (n,)")
        for name in ("item_ids", "ratings", "timestamps", "weights"):
            values = getattr(self, name)
            if values is not None and values.shape != self.user_ids.shape:
                raise ValueError(f"{name} has the shape {values.shape}, user_ids {self.user_ids.shape}")
        self.num_users = _count("user", self.user_ids, num_users)
        self.num_items = _count("item", self.item_ids, num_items)

    def __len__(self) -> int:
        return len(self.user_ids)

    def __repr__(self) -> str:
        return f"<Interactions dataset ({self.num_users} users x {self.num_items} items x {len(self)} interactions)>"

    def tocoo(self) -> sp.coo_matrix:
        """(num_users, num_items) matrix with the ratings as values, or ones where there are no ratings."""
        values = np.ones(len(self)) if self.ratings is None else self.ratings
        return sp.coo_matrix((values, (self.user_ids, self.item_ids)), shape=(self.num_users, self.num_items))

    def tocsr(self) -> sp.csr_matrix:
        """The same by rows. The values of a pair that occurs twice are added up."""
        return self.tocoo().tocsr()

    def to_sequence(
        self, max_sequence_length: int = 10, min_sequence_length: int | None = None, step_size: int | None = None
    ) -> SequenceInteractions:
        """Cut every user's history, in order of time, into windows of items with zeros in front of those too short.

        Windows are cut from the newest item backwards, and a user's newest window comes first. Interactions of a user
        with the same timestamp stay in the order of the rows.

        max_sequence_length  columns of the result
        min_sequence_length  windows of fewer items are left out
        step_size            how many items earlier than one window the next one ends; None: max_sequence_length, so
                             that no item is in two windows
        raises               ValueError if there are no timestamps, an item id is 0, the padding, a length or step is
                             less than 1, or min_sequence_length more than max_sequence_length; TypeError for a length
                             or step that is not a whole number
        """
        if self.timestamps is None:
            raise ValueError("sequences are in order of time: these interactions have no timestamps")
        length = whole_number(max_sequence_length, "max_sequence_length", least=1)
        shortest = (
            1 if min_sequence_length is None else whole_number(min_sequence_length, "min_sequence_length", least=1)
        )
        if shortest > length:
            raise ValueError(f"min_sequence_length={shortest} is more than max_sequence_length={length}")
        sequences, user_ids = cut_windows(
            self.user_ids,
            self.item_ids,
            self.timestamps,
            length=length,
            step=None if step_size is None else whole_number(step_size, "step_size", least=1),
            min_length=shortest,
        )
        return SequenceInteractions(sequences.astype(np.int32), user_ids.astype(np.int32), num_items=self.num_items)

    def take(self, rows: np.ndarray | slice) -> Interactions:
        """The interactions at these positions, with the numbers of users and items of the whole.

        rows  (m,) int positions, (n,) bool, or a slice
        """
        parts = (self.user_ids, self.item_ids, self.ratings, self.timestamps, self.weights)
        return Interactions(
            *(None if part is None else part[rows] for part in parts),
            num_users=self.num_users,
            num_items=self.num_items,
        )


class SequenceInteractions:
    """Windows of users' histories. Everything given is an attribute, and so is max_sequence_length = L.

    sequences  (n, L) of any integer dtype, values in [0, num_items): item ids, the oldest first; 0 is padding, and
               stands in front
    user_ids   (n,) of any integer dtype or None: whose history a window is from
    num_items  the largest item id + 1 if None or 0
    raises     ValueError if sequences are not two-dimensional, user_ids are not one each, an item id or num_items is
               negative, an item id does not fit num_items, or there is no sequence and no num_items; TypeError for ids
               or a num_items that are not whole
    """

    def __init__(self, sequences: np.ndarray, user_ids: np.ndarray | None = None, num_items: int | None = None) -> None:
        self.sequences = of_whole_dtype(sequences, "sequences")
        self.user_ids = None if user_ids is None else of_whole_dtype(user_ids, "user_ids")
        if self.sequences.ndim != 2:
            raise ValueError(f"sequences has the shape {self.sequences.shape}, expected (windows, length)")
        if self.user_ids is not None and self.user_ids.shape != (len(self.sequences),):
            raise ValueError(f"user_ids has the shape {self.user_ids.shape}, sequences {self.sequences.shape}")
        self.max_sequence_length = self.sequences.shape[1]
        self.num_items = _count("item", self.sequences.ravel(), num_items)

    def __repr__(self) -> str:
        n, length = self.sequences.shape
        return f"<Sequence interactions dataset ({n} sequences x {length} sequence length)>"


def _array_or_none(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else np.asarray(values)


def _count(name: str, ids: np.ndarray, declared: int | None) -> int:
    declared = whole_number(0 if declared is None else declared, f"num_{name}s", least=0)
    if len(ids) == 0:
        if not declared:
            raise ValueError(f"no interactions: give num_{name}s")
        return declared
    if ids.min() < 0:
        raise ValueError(f"{name} id {ids.min()} is negative")
    if declared and ids.max() >= declared:
        raise ValueError(f"{name} id {ids.max()} does not fit num_{name}s={declared}")
    return declared or int(ids.max()) + 1
