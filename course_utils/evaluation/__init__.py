"""How good predictions are: errors of ratings, ranks of the right items, metrics from ranks and from lists, intervals.

NumPy and SciPy only: a judge that needs a metric starts without torch. What a number means (where ranks start, ties,
exclusions, empty rows, sources) stands in the module that makes it.
"""

from course_utils.evaluation.candidates import NO_ITEM
from course_utils.evaluation.errors import mae, rmse
from course_utils.evaluation.intervals import Difference, Interval, bootstrap_interval, paired_difference
from course_utils.evaluation.lists import coverage, gini, novelty, top_items
from course_utils.evaluation.metrics import (
    average_precision_at,
    hit_rate_at,
    ndcg_at,
    precision_at,
    recall_at,
    reciprocal_rank,
)
from course_utils.evaluation.ranks import catalogue_ranks, ranks, sampled_ranks, targets_by_row

__all__ = [
    "NO_ITEM",
    "Difference",
    "Interval",
    "average_precision_at",
    "bootstrap_interval",
    "catalogue_ranks",
    "coverage",
    "gini",
    "hit_rate_at",
    "mae",
    "ndcg_at",
    "novelty",
    "paired_difference",
    "precision_at",
    "ranks",
    "recall_at",
    "reciprocal_rank",
    "rmse",
    "sampled_ranks",
    "targets_by_row",
    "top_items",
]
