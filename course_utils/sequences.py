"""From interactions to sequences: windows for training, and the last item of each user as a target.

Item ids run from 1 to n_items, as 0 is the padding. A user's items are in order of time; of two with the same
timestamp, the one with the larger position is the later, and without positions the one in the later row. Sequences are
aligned to the right: the newest item is in the last column, and zeros stand in front of what is too short.

Windows are cut as Spotlight's `Interactions.to_sequence` cuts them (Kula, 2017): from the newest item backwards, so
that only the oldest windows of a user are short.
"""

from typing import NamedTuple

import numpy as np

from course_utils.whole_numbers import of_whole_dtype

PADDING = 0


class Windows(NamedTuple):
    """Pieces of users' histories.

    sequences  (n_windows, length) ints of item_ids' dtype, oldest item first, zeros in front
    user_ids   (n_windows,) ints, whose history a window is from
    """

    sequences: np.ndarray
    user_ids: np.ndarray


class NextItems(NamedTuple):
    """One item to predict for each user, and what came before it.

    contexts  (n, length) ints of item_ids' dtype, oldest first, zeros in front; all zeros where nothing came before
    targets   (n,) ints of item_ids' dtype
    user_ids  (n,) ints, ascending
    """

    contexts: np.ndarray
    targets: np.ndarray
    user_ids: np.ndarray


def cut_windows(
    user_ids: np.ndarray,
    item_ids: np.ndarray,
    timestamps: np.ndarray,
    *,
    positions: np.ndarray | None = None,
    length: int = 10,
    step: int | None = None,
    min_length: int = 1,
) -> Windows:
    """Cuts each user's history into windows of up to `length` items, the newest window first.

    user_ids    (n,) ints
    item_ids    (n,) ints, from 1
    timestamps  (n,) numbers, in any unit
    positions   (n,) numbers, the order of events of one user at one time; None: the order of the rows
    length      columns of the result
    step        how many items a window ends before the one cut before it; None: `length`, so that no item is in two
                windows; 1: sliding windows, one ends at each item
    min_length  windows of fewer items are left out
    returns     Windows: users ascending, ceil(n_u / step) windows of a user with n_u items, before short ones are
                left out. No interactions give no windows, as (0, length) and (0,).
    raises      ValueError for an item id below 1, a missing timestamp, arrays that differ in length, a length or step
                below 1, or a min_length outside [1, length]; TypeError for ids that are no whole numbers
    """
    step = length if step is None else step
    if length < 1 or step < 1:
        raise ValueError(f"length is {length} and step {step}, expected at least 1")
    if not 1 <= min_length <= length:
        raise ValueError(f"min_length is {min_length}, expected 1 to length={length}")
    history = _histories(user_ids, item_ids, timestamps, positions)
    n_windows = -(-history.counts // step)
    row = np.repeat(np.arange(len(history.users)), n_windows)  # (n_windows,) of the window's user
    place = np.arange(len(row)) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows)  # 0 for the newest window
    ends = history.counts[row] - place * step
    kept = ends >= min_length
    row, ends = row[kept], ends[kept]
    return Windows(_items_before(history, row, ends, length), history.users[row])


def leave_last_out(
    user_ids: np.ndarray,
    item_ids: np.ndarray,
    timestamps: np.ndarray,
    *,
    positions: np.ndarray | None = None,
    length: int = 10,
    n_later: int = 0,
) -> NextItems:
    """Each user's last item as the target, and up to `length` items before it as the context.

    The first five arguments are cut_windows'; `length` here does not count the target.

    n_later  how many items of each user come after the target: 0 for the test, 1 for validation, whose contexts and
             targets then hold nothing of the test's targets. What is left for training is
             `count_later(...) > n_later`.
    returns  NextItems of the users who have more than n_later items. A user's first item has an empty context.
    raises   as cut_windows, and ValueError for a negative n_later
    """
    if length < 1 or n_later < 0:
        raise ValueError(f"length is {length} and n_later {n_later}, expected at least 1 and 0")
    history = _histories(user_ids, item_ids, timestamps, positions)
    row = np.flatnonzero(history.counts > n_later)
    ends = history.counts[row] - n_later
    sequences = _items_before(history, row, ends, length + 1)
    return NextItems(sequences[:, :-1], sequences[:, -1], history.users[row])


def count_later(user_ids: np.ndarray, timestamps: np.ndarray, *, positions: np.ndarray | None = None) -> np.ndarray:
    """How many interactions the same user has after each one: 0 for the last, 1 for the last but one.

    returns  (n,) int64, in the order of the rows
    raises   as cut_windows
    """
    order, history = _in_order(user_ids, timestamps, positions)
    later = np.empty(len(order), dtype=np.int64)
    later[order] = np.repeat(history.starts + history.counts, history.counts) - 1 - np.arange(len(order))
    return later


class _Histories(NamedTuple):
    """users (m,) ascending; the items of user j are items[starts[j] : starts[j] + counts[j]], oldest first."""

    users: np.ndarray
    starts: np.ndarray
    counts: np.ndarray
    items: np.ndarray | None = None


def _histories(
    user_ids: np.ndarray, item_ids: np.ndarray, timestamps: np.ndarray, positions: np.ndarray | None
) -> _Histories:
    item_ids = _column_of_ids("item_ids", item_ids)
    if item_ids.size and item_ids.min() <= PADDING:
        raise ValueError(
            f"item id {item_ids.min()} in row {item_ids.argmin()}: items are numbered from 1, 0 is padding"
        )
    order, history = _in_order(user_ids, timestamps, positions)
    _same_length(order, item_ids=item_ids)
    return history._replace(items=item_ids[order])


def _in_order(
    user_ids: np.ndarray, timestamps: np.ndarray, positions: np.ndarray | None
) -> tuple[np.ndarray, _Histories]:
    """The rows by (user, time, position), and where each user's begin."""
    user_ids = _column_of_ids("user_ids", user_ids)
    keys = {"timestamps": np.asarray(timestamps)}
    if positions is not None:
        keys["positions"] = np.asarray(positions)
    _same_length(user_ids, **keys)
    for name, values in keys.items():
        missing = values != values  # NaN and NaT alone differ from themselves
        if missing.any():
            raise ValueError(f"row {missing.argmax()} of {name} is missing: its place in time is unknown")
    order = np.lexsort((*reversed(keys.values()), user_ids))  # stable: the last tie is broken by row
    users, starts, counts = np.unique(user_ids[order], return_index=True, return_counts=True)
    return order, _Histories(users, starts, counts)


def _items_before(history: _Histories, row: np.ndarray, ends: np.ndarray, length: int) -> np.ndarray:
    """(n, length), the up to `length` items before place ends[j] in the history of user number row[j]."""
    padded = np.concatenate([np.full(length, PADDING, history.items.dtype), history.items])
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)  # (n + 1, length), row j ends before item j
    sequences = windows[history.starts[row] + ends]
    sequences[np.arange(length) < length - ends[:, None]] = PADDING  # items of the user before, or none
    return sequences


def _column_of_ids(name: str, ids: np.ndarray) -> np.ndarray:
    ids = of_whole_dtype(ids, name)
    if ids.ndim != 1:
        raise ValueError(f"{name} has the shape {ids.shape}, expected one dimension")
    return ids


def _same_length(rows: np.ndarray, **columns: np.ndarray) -> None:
    for name, values in columns.items():
        if values.shape != rows.shape:
            raise ValueError(f"{name} has the shape {values.shape}, the user ids {rows.shape}")
