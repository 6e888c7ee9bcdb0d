"""The checks of lesson 03, sequences and MRR.

Small functions are judged against slow loops, networks by what they do, and the ladder by windows of users that nobody
was trained on.
"""

from course_utils.checks.progress import progress
from course_utils.checks.sequence_mrr.attention import attention, attention_mask
from course_utils.checks.sequence_mrr.losses import bpr_loss, cross_entropy_loss, sampled_softmax_loss
from course_utils.checks.sequence_mrr.measure import best_possible_mrr, count_next, reciprocal_ranks
from course_utils.checks.sequence_mrr.nets import cbow, decayed_bag, recurrent, transformer
from course_utils.checks.sequence_mrr.rungs import ladder
from course_utils.checks.sequence_mrr.windows import cut_history, hold_out_users, inputs_and_targets

__all__ = [
    "attention",
    "attention_mask",
    "best_possible_mrr",
    "bpr_loss",
    "cbow",
    "count_next",
    "cross_entropy_loss",
    "cut_history",
    "decayed_bag",
    "hold_out_users",
    "inputs_and_targets",
    "ladder",
    "progress",
    "reciprocal_ranks",
    "recurrent",
    "sampled_softmax_loss",
    "transformer",
]
