"""Lists of items: which ones are listed, how much of the catalogue, how evenly, and how unexpected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import entropy

from course_utils.evaluation import NO_ITEM, coverage, gini, novelty, ranks, top_items

pytestmark = pytest.mark.filterwarnings("error")
examples = settings(deadline=None)  # no time limit an example: the cores may be shared


@st.composite
def scores_and_seen(draw):
    n_rows, n_items = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([np.zeros(1), np.array([-np.inf, 0.0, 1.0, np.inf]), np.arange(50.0)]))
    dtype = draw(st.sampled_from([np.float32, np.float64])) if np.isinf(levels).any() else np.int16
    scores = rng.choice(levels, (n_rows, n_items)).astype(dtype)
    return scores, rng.random(scores.shape) < draw(st.sampled_from([0.0, 0.5, 1.0]))


@examples
@given(scores_and_seen(), st.integers(1, 15))
def test_top_items_are_the_first_of_a_full_sort_by_score_then_id(world, top_k):
    scores, seen = world
    expected = []
    for row_scores, row_seen in zip(scores.tolist(), seen.tolist(), strict=True):
        order = sorted(range(len(row_scores)), key=lambda item, s=row_scores: (-s[item], item))
        kept = [item for item in order if not row_seen[item]][:top_k]
        expected.append(kept + [NO_ITEM] * (top_k - len(kept)))
    np.testing.assert_array_equal(top_items(scores, top_k, seen=seen), expected)
    np.testing.assert_array_equal(top_items(scores, top_k, seen=sparse.csr_array(seen)), expected)


@examples
@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_without_ties_the_item_in_place_j_has_rank_j(n_items, seed):
    scores = np.random.default_rng(seed).permuted(np.tile(np.arange(n_items), (4, 1)), axis=1)
    np.testing.assert_array_equal(ranks(scores, top_items(scores, n_items)), np.tile(np.arange(1, n_items + 1), (4, 1)))


def test_the_padding_item_is_never_listed():
    scores = np.array([[9.0, 1.0, 2.0], [9.0, 3.0, 3.0]])
    np.testing.assert_array_equal(top_items(scores, 3, padding_item=0), [[2, 1, NO_ITEM], [1, 2, NO_ITEM]])


def test_an_unseen_item_at_minus_infinity_is_listed_and_a_seen_one_is_not():
    scores, seen = np.array([[5.0, -np.inf, 1.0]]), np.array([[True, False, False]])
    assert top_items(scores, 3, seen=seen).tolist() == [[2, 1, NO_ITEM]]


def test_no_rows_have_no_lists():
    assert top_items(np.empty((0, 4)), 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("scores", "top_k", "message"),
    [
        pytest.param([[1.0, np.nan]], 1, "item 1 in row 0 is NaN", id="NaN"),
        pytest.param([[1.0, 2.0]], 0, "top_k=0", id="no places"),
        pytest.param([1.0, 2.0], 1, r"shape \(2,\)", id="no rows"),
    ],
)
def test_scores_that_make_no_list_are_refused(scores, top_k, message):
    with pytest.raises(ValueError, match=message):
        top_items(scores, top_k)


@pytest.mark.parametrize("top_k", [[1, 2], 1.5])
def test_a_list_has_one_whole_number_of_places(top_k):
    with pytest.raises(TypeError, match=r"top_k=.*: one whole number was expected"):
        top_items([[1.0, 2.0]], top_k)


def test_three_of_four_items_listed_by_hand():
    lists = [[0, 2], [2, NO_ITEM], [1, NO_ITEM]]  # item 0 once, 1 once, 2 twice, 3 never
    assert coverage(lists, 4) == 0.75
    # Ascending shares 0, 1/4, 1/4, 2/4 with weights -3, -1, 1, 3, over n - 1 = 3.
    assert gini(lists, 4) == pytest.approx((-1 / 4 + 1 / 4 + 6 / 4) / 3)


@examples
@given(st.integers(2, 20), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_coverage_and_gini_agree_with_other_ways_to_work_them_out(n_items, n_lists, seed):
    lists = np.random.default_rng(seed).geometric(0.2, (n_lists, 3)) % n_items
    times = np.array([(lists == item).sum() for item in range(n_items)])
    assert coverage(lists, n_items) == pytest.approx(len(set(lists.ravel().tolist())) / n_items)
    # Half the mean difference between two items drawn without replacement, relative to the mean.
    differences = np.abs(times[:, None] - times).sum() / (n_items * (n_items - 1))
    assert gini(lists, n_items) == pytest.approx(differences / (2 * times.mean()))
    # One minus twice the area below the Lorenz curve, scaled to a maximum of 1.
    lorenz = np.concatenate([[0], np.cumsum(np.sort(times)) / times.sum()])
    area = np.trapezoid(lorenz, dx=1 / n_items)
    assert gini(lists, n_items) == pytest.approx((1 - 2 * area) * n_items / (n_items - 1))


def test_gini_is_zero_when_all_items_are_listed_alike_and_one_when_a_single_item_is():
    assert gini([[0, 1, 2], [2, 1, 0]], 3) == 0
    assert gini([[3], [3], [3]], 1000) == 1
    assert gini([[0], [0]], 1) == 0


def test_the_padding_item_is_no_part_of_the_catalogue():
    lists = [[1, 2], [2, 1]]
    assert coverage(lists, 3) == pytest.approx(2 / 3)
    assert coverage(lists, 3, padding_item=0) == 1
    assert gini(lists, 3, padding_item=0) == 0
    with pytest.raises(ValueError, match="padding item 0 is listed 1 times"):
        coverage([[0, 1]], 3, padding_item=0)


def test_nothing_listed_covers_nothing_and_has_no_inequality():
    for lists in (np.full((2, 3), NO_ITEM), np.empty((0, 3), np.int64)):
        assert coverage(lists, 5) == 0
        with pytest.raises(ValueError, match="nothing is listed"):
            gini(lists, 5)


def test_an_item_that_half_of_the_users_met_is_worth_one_bit():
    lists = [[0, 2], [1, NO_ITEM], [NO_ITEM, NO_ITEM], [0, 0]]
    values = novelty(lists, [1.0, 0.5, 0.25])
    assert values.tolist() == [1, 1, 0, 0]
    assert not np.signbit(values).any()


@examples
@given(st.lists(st.integers(1, 20), min_size=1, max_size=10))
def test_listing_items_as_often_as_they_are_met_has_the_entropy_as_novelty(times):
    lists = np.repeat(np.arange(len(times)), times)[None]
    shares = np.array(times) / sum(times)
    assert novelty(lists, shares)[0] == pytest.approx(entropy(shares, base=2), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: coverage([[0, 5]], 5), "listed id 5 does not fit 5 items", id="off the end"),
        pytest.param(lambda: coverage([[-2, 0]], 5), "listed id -2", id="below the blank"),
        pytest.param(lambda: coverage([0, 1], 5), r"lists of shape \(2,\)", id="one list without rows"),
        pytest.param(lambda: coverage(np.empty((0, 1), np.int64), 0), "at least one item", id="no catalogue"),
        pytest.param(lambda: gini([[1]], 5, padding_item=5), "padding_item=5", id="padding off the end"),
        pytest.param(lambda: novelty([[1]], [1.0, 0.0]), "item 1 is listed and has popularity 0", id="never met"),
        pytest.param(lambda: novelty([[0]], [3.0]), "item 0 has popularity 3.0", id="counts for shares"),
        pytest.param(lambda: novelty([[0]], [np.nan]), "item 0 has popularity nan", id="NaN popularity"),
        pytest.param(lambda: novelty([[0]], [[1.0]]), r"popularity of shape \(1, 1\)", id="popularity as a table"),
    ],
)
def test_what_is_no_list_of_the_catalogue_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
