"""Bootstrap intervals that resample users, and the paired comparison of two models."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from course_utils.evaluation import bootstrap_interval, paired_difference

pytestmark = pytest.mark.filterwarnings("error")


def fresh():
    return np.random.default_rng(7)


def test_rows_that_repeat_a_users_value_add_no_precision(rng):
    per_user, repeats = rng.random(200), 9
    rows, user_ids = np.repeat(per_user, repeats), np.repeat(np.arange(200), repeats)
    of_users = bootstrap_interval(per_user, np.arange(200), fresh())
    clustered = bootstrap_interval(rows, user_ids, fresh())
    naive = bootstrap_interval(rows, np.arange(len(rows)), fresh())
    assert clustered == pytest.approx(of_users, abs=1e-12)
    # Nine times the rows taken for independent ones make an interval a third as wide.
    width = clustered.high - clustered.low
    assert width == pytest.approx(3 * (naive.high - naive.low), rel=0.1)


def test_two_users_with_values_zero_and_one_span_the_whole_range():
    # Drawn twice from two users: means 0, 1/2, 1 with chances 1/4, 1/2, 1/4.
    assert bootstrap_interval([0, 1], ["a", "b"], fresh()) == (0.5, 0, 1)
    assert bootstrap_interval([0, 1], ["a", "b"], fresh(), confidence=0.4) == (0.5, 0.5, 0.5)


def test_a_user_with_more_rows_weighs_more():
    # One row of 1 against three of 0: means 1, 1/4, 0 with chances 1/4, 1/2, 1/4.
    values, user_ids = [0, 1, 0, 0], ["b", "a", "b", "b"]
    assert bootstrap_interval(values, user_ids, fresh()) == (0.25, 0, 1)
    assert bootstrap_interval(values, user_ids, fresh(), confidence=0.4) == (0.25, 0.25, 0.25)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says(rng):
    # 60 users with a taste each (sd 1) and 1 to 9 rows around it (sd 0.5); the true mean is 0. 95 % of 300 is 285, and
    # percentile intervals of few users fall a little short. Rows taken for independent ones hold it some 175 times.
    held = 0
    for _ in range(300):
        user_ids = np.repeat(np.arange(60), rng.integers(1, 10, 60))
        values = rng.normal(size=60)[user_ids] + rng.normal(0, 0.5, len(user_ids))
        _, low, high = bootstrap_interval(values, user_ids, rng, n_resamples=499)
        held += low <= 0 <= high
    assert 265 <= held <= 297


def test_the_order_of_the_rows_does_not_matter(rng):
    user_ids, values = rng.integers(30, size=200), rng.random(200)
    order = rng.permutation(200)
    shuffled = bootstrap_interval(values[order], user_ids[order], fresh())
    assert shuffled == pytest.approx(bootstrap_interval(values, user_ids, fresh()), abs=1e-12)


def test_the_same_generator_gives_the_same_interval_and_more_confidence_a_wider_one(rng):
    values, user_ids = rng.random(100), np.arange(100) // 2
    narrow = bootstrap_interval(values, user_ids, fresh(), confidence=0.5)
    assert narrow == bootstrap_interval(values, user_ids, fresh(), confidence=0.5)
    wide = bootstrap_interval(values, user_ids, fresh(), confidence=0.99)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high
    assert narrow.mean == pytest.approx(values.mean())


def test_equal_values_have_an_interval_of_one_point():
    assert bootstrap_interval(np.full(7, 0.1), [1, 1, 1, 2, 2, 3, 4], fresh()) == (0.1, 0.1, 0.1)


def test_two_equal_models_differ_by_nothing_with_a_p_value_of_one(rng):
    values = rng.random(50)
    assert paired_difference(values, values, np.arange(50), fresh()) == (0, 0, 0, 1)


def test_a_model_that_is_better_for_everybody_has_the_smallest_p_value_there_is():
    difference = paired_difference(np.full(20, 0.5), np.full(20, 0.25), np.arange(20), fresh(), n_resamples=999)
    assert difference == (0.25, 0.25, 0.25, 2 / 1000)


def test_what_makes_rows_hard_for_both_models_does_not_blur_their_difference(rng):
    hardness = rng.normal(size=300)
    values_a, values_b = hardness + rng.normal(0.05, 0.1, 300), hardness + rng.normal(0, 0.1, 300)
    of_a, of_b = (bootstrap_interval(values, np.arange(300), rng) for values in (values_a, values_b))
    assert of_a.low < of_b.high  # the two intervals overlap widely
    difference = paired_difference(values_a, values_b, np.arange(300), rng)
    assert difference.low > 0
    assert difference.p_value < 0.001


def test_swapping_the_models_turns_the_comparison_round(rng):
    values_a, values_b, user_ids = rng.random(80), rng.random(80), rng.integers(20, size=80)
    one, other = (paired_difference(*pair, user_ids, fresh()) for pair in ((values_a, values_b), (values_b, values_a)))
    assert other == pytest.approx((-one.mean, -one.high, -one.low, one.p_value), abs=1e-12)


@pytest.mark.parametrize("effect", [0.0, 0.02, 0.05, 0.08, 0.12])
def test_with_many_users_the_p_value_is_that_of_a_t_test_on_users(effect, rng):
    values_a, values_b = rng.normal(effect, 1, 1000), rng.normal(0, 1, 1000)
    difference = paired_difference(values_a, values_b, np.arange(1000), rng)
    # Both are the normal distribution's here; 9,999 resamples leave a chance error below 0.01.
    assert difference.p_value == pytest.approx(ttest_rel(values_a, values_b).pvalue, abs=0.02)


@pytest.mark.parametrize("effect", [0.0, 0.1, 0.2, 0.25, 0.3, 0.4])
def test_the_interval_holds_zero_if_and_only_if_the_p_value_is_above_its_level(effect, rng):
    user_ids = rng.integers(40, size=200)
    values = rng.normal(effect, 1, 40)[user_ids]
    _, low, high, p_value = paired_difference(values, np.zeros(200), user_ids, rng, confidence=0.9)
    assert abs(p_value - 0.1) > 0.001  # neither may be a matter of one resample
    assert (low <= 0 <= high) == (p_value > 0.1)


@pytest.mark.parametrize(
    ("values", "user_ids", "options", "message"),
    [
        pytest.param([0.1, 0.2], [4, 4], {}, "rows of 1 users", id="a single user"),
        pytest.param([], [], {}, "rows of 0 users", id="nobody"),
        pytest.param([0.1, np.nan], [1, 2], {}, "value nan of row 1 is not finite", id="NaN"),
        pytest.param([np.inf, 0.1], [1, 2], {}, "value inf of row 0 is not finite", id="infinite"),
        pytest.param([0.1, 0.2], [1], {}, r"values \(2,\) and user_ids \(1,\)", id="a user too few"),
        pytest.param([[0.1], [0.2]], [1, 2], {}, r"values \(2, 1\)", id="a column"),
        pytest.param([0.1, 0.2], [1, 2], {"confidence": 95}, "confidence=95", id="percent"),
        pytest.param([0.1, 0.2], [1, 2], {"n_resamples": 1}, "n_resamples=1", id="one resample"),
    ],
)
def test_what_has_no_interval_is_refused(values, user_ids, options, message, rng):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(values, user_ids, rng, **options)
    with pytest.raises(ValueError, match=message.replace("values ", "values(_a)? ")):
        paired_difference(values, np.zeros(np.shape(values)), user_ids, rng, **options)


def test_models_with_different_rows_are_not_compared(rng):
    with pytest.raises(ValueError, match=r"values_a \(2,\) and values_b \(3,\)"):
        paired_difference([1, 2], [1, 2, 3], [1, 2], rng)
