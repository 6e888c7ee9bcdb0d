"""MovieLens in the form in which Spotlight's loader gives it, from the files that course_utils.movielens finds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils import movielens
from course_utils.spotlight.interactions import Interactions

_NAMES = {"100K": "ml-100k", "1M": "ml-1m"}
_NOT_CARRIED = ("10M", "20M")


def get_movielens_dataset(variant: str = "100K") -> Interactions:
    """The ratings of one MovieLens data set, in file order, with times in seconds since 1970.

    variant  "100K" with the ids of the file, which start at 1: 944 users x 1683 items, of which user 0 and item 0 have
             no rating; "1M" with users and items numbered from 1 in the order in which the file first names them
    returns  user_ids, item_ids and timestamps int32, ratings float32
    raises   ValueError for another variant; course_utils.movielens.DataError if the files are damaged or cannot be had
    """
    if variant in _NOT_CARRIED:
        raise ValueError(f"the course does not carry MovieLens {variant}; there are {', '.join(_NAMES)}")
    if variant not in _NAMES:
        raise ValueError(f"variant must be one of {', '.join(_NAMES)}, got {variant!r}")
    ratings = movielens.load(_NAMES[variant]).ratings
    user_ids, item_ids = ratings["user_id"], ratings["item_id"]
    if variant == "1M":
        user_ids, item_ids = (pd.Series(pd.factorize(ids)[0] + 1) for ids in (user_ids, item_ids))
    return Interactions(
        user_ids.to_numpy(np.int32),
        item_ids.to_numpy(np.int32),
        ratings=ratings["rating"].to_numpy(np.float32),
        timestamps=ratings["timestamp"].to_numpy(np.int32),
    )
