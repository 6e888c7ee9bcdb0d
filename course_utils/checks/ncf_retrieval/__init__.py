"""The checks of lesson 02, retrieval.

Worlds are planted: who met what, scores with ties, curves with a known best epoch. Ranks and metrics are worked out
again user by user, nets from their own parameters; the ladder alone reads a data set.
"""

from course_utils.checks.ncf_retrieval.data import leave_latest_out, sample_users
from course_utils.checks.ncf_retrieval.lists import flipped_pairs, top_unseen
from course_utils.checks.ncf_retrieval.metrics import average_rank, hit_rate_and_ndcg, item_pop
from course_utils.checks.ncf_retrieval.module import ncf
from course_utils.checks.ncf_retrieval.nets import mlp
from course_utils.checks.ncf_retrieval.ranking import catalogue_ranks, sampled_ranks
from course_utils.checks.ncf_retrieval.rungs import ladder
from course_utils.checks.ncf_retrieval.sampling import draw_negatives
from course_utils.checks.ncf_retrieval.training import fit_best, fresh_pairs
from course_utils.checks.progress import progress

__all__ = [
    "average_rank",
    "catalogue_ranks",
    "draw_negatives",
    "fit_best",
    "flipped_pairs",
    "fresh_pairs",
    "hit_rate_and_ndcg",
    "item_pop",
    "ladder",
    "leave_latest_out",
    "mlp",
    "ncf",
    "progress",
    "sample_users",
    "sampled_ranks",
    "top_unseen",
]
