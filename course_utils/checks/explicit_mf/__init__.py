"""The checks of lesson 01, explicit matrix factorisation."""

from course_utils.checks.explicit_mf.decay import decaying_adam
from course_utils.checks.explicit_mf.loop import evaluate_rmse, fit, fit_and_restore, train_epoch
from course_utils.checks.explicit_mf.models import biased_mf, matrix_factorization
from course_utils.checks.explicit_mf.net import collab_f_net
from course_utils.checks.explicit_mf.pieces import dot_scores, embedding_lookup, init_std, rmse_by_hand
from course_utils.checks.explicit_mf.rungs import ladder
from course_utils.checks.progress import progress

__all__ = [
    "biased_mf",
    "collab_f_net",
    "decaying_adam",
    "dot_scores",
    "embedding_lookup",
    "evaluate_rmse",
    "fit",
    "fit_and_restore",
    "init_std",
    "ladder",
    "matrix_factorization",
    "progress",
    "rmse_by_hand",
    "train_epoch",
]
