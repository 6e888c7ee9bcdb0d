"""Errors of predicted ratings."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error

from course_utils.evaluation import mae, rmse


def test_rmse_of_errors_three_and_four_is_the_root_of_twelve_and_a_half():
    assert rmse([5.0, 1.0], [2.0, 5.0]) == pytest.approx(12.5**0.5, abs=1e-12)


def test_mae_of_errors_three_and_four_is_three_and_a_half():
    assert mae([5.0, 1.0], [2.0, 5.0]) == pytest.approx(3.5, abs=1e-12)


def test_both_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    ratings, scores = rng.integers(1, 6, 1000).astype(np.float32), rng.normal(3, 1, 1000).astype(np.float32)
    assert rmse(ratings, scores) == pytest.approx(mean_squared_error(ratings, scores) ** 0.5, rel=1e-6)
    assert mae(ratings, scores) == pytest.approx(mean_absolute_error(ratings, scores), rel=1e-6)


def test_a_million_float32_errors_are_summed_without_drift():
    # A running float32 sum of a million times 0.01 drifts in the third digit.
    n = 1_000_000
    assert rmse(np.zeros(n, np.float32), np.full(n, 0.1, np.float32)) == pytest.approx(0.1, abs=1e-8)


def test_small_integers_do_not_wrap_around():
    assert rmse(np.array([1], np.uint8), np.array([5], np.uint8)) == 4.0


@pytest.mark.parametrize("error", [rmse, mae])
def test_a_column_of_scores_is_refused_instead_of_broadcast(error):
    with pytest.raises(ValueError, match=r"\(2,\).*\(2, 1\)"):
        error(np.ones(2), np.ones((2, 1)))


@pytest.mark.parametrize("error", [rmse, mae])
def test_no_ratings_at_all_are_refused(error):
    with pytest.raises(ValueError, match="no ratings"):
        error([], [])


@pytest.mark.parametrize("error", [rmse, mae])
def test_a_score_that_is_not_a_number_shows_in_the_result(error):
    assert np.isnan(error([1.0, 2.0], [1.0, np.nan]))
