"""How good a fitted model is."""

from __future__ import annotations

from course_utils.evaluation import rmse
from course_utils.spotlight.factorization.explicit import ExplicitFactorizationModel
from course_utils.spotlight.interactions import Interactions


def rmse_score(model: ExplicitFactorizationModel, test: Interactions) -> float:
    """Root mean squared error of the model's predictions for the test rows, in stars, nothing clipped.

    raises   ValueError if the test interactions have no ratings or are empty
    """
    if test.ratings is None:
        raise ValueError("the test interactions have no ratings")
    return rmse(test.ratings, model.predict(test.user_ids, test.item_ids))
