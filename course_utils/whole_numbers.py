"""The check for whole numbers: what ids, ranks, lengths and counts have to be."""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import ArrayLike


def whole_numbers(ids: ArrayLike, name: str) -> np.ndarray:
    """ids as int64. Raises TypeError, with their name, for anything but whole numbers."""
    return of_whole_dtype(ids, name).astype(np.int64, copy=False)


def of_whole_dtype(ids: ArrayLike, name: str) -> np.ndarray:
    """As whole_numbers, in the integer dtype that they have; no ids at all are int64 unless they have one."""
    ids = np.asarray(ids)
    if ids.dtype.kind in "iu":
        return ids
    if ids.size:
        raise TypeError(f"{name} are whole numbers, found an array of {ids.dtype}")
    return ids.astype(np.int64)  # an empty list is float64 to NumPy


def whole_number(value: int, name: str, *, least: int) -> int:
    """value as an int. Raises TypeError, with its name, unless it is one whole number, ValueError if below `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: one whole number was expected") from None
    if number < least:
        raise ValueError(f"{name}={number}: at least {least} was expected")
    return number
