"""The checks of lesson 00, ratings.

Every world is planted: what the right answer is follows from how the world was made, not from a second solution.
"""

from course_utils.checks.progress import progress
from course_utils.checks.ratings.ids import dense_ids, encode_validation
from course_utils.checks.ratings.matrix import density, head_share
from course_utils.checks.ratings.predictions import damped_biases, item_means, rmse
from course_utils.checks.ratings.splits import leaked_share, split_by_time

__all__ = [
    "damped_biases",
    "dense_ids",
    "density",
    "encode_validation",
    "head_share",
    "item_means",
    "leaked_share",
    "progress",
    "rmse",
    "split_by_time",
]
