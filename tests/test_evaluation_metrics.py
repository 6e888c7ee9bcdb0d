"""Ranking metrics: by hand, against scikit-learn and torchmetrics, and under ties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, top_k_accuracy_score
from torchmetrics.functional import retrieval

from course_utils.evaluation import (
    NO_ITEM,
    average_precision_at,
    hit_rate_at,
    ndcg_at,
    precision_at,
    ranks,
    recall_at,
    reciprocal_rank,
    targets_by_row,
)

pytestmark = pytest.mark.filterwarnings("error")

AT_TOP_K = [hit_rate_at, precision_at, recall_at, ndcg_at, average_precision_at]
NAN = np.nan
examples = settings(max_examples=60, deadline=None)  # no time limit an example: the cores may be shared


@st.composite
def relevance(draw, ties=False):
    """Scores (B, n_items) and which items are relevant (B, n_items) bool; rows with none and with all among them."""
    n_rows, n_items = draw(st.integers(1, 5)), draw(st.integers(2, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    if ties:
        scores = rng.integers(0, draw(st.integers(1, 4)), (n_rows, n_items)).astype(np.float64)
    else:
        # Above 0: to torchmetrics, whose scores are probabilities, an item at 0 is not in the list at all.
        scores = rng.permuted(np.tile(np.arange(1, n_items + 1) / n_items, (n_rows, 1)), axis=1)
    return scores, rng.random(scores.shape) < share


def ranks_of_relevant(scores, relevant):
    return ranks(scores, targets_by_row(*np.nonzero(relevant), len(relevant)))


def by_torchmetrics(metric, scores, relevant, **options):
    return [
        float(metric(torch.as_tensor(s), torch.as_tensor(r), **options))
        for s, r in zip(scores, relevant.astype(np.int64), strict=True)
    ]


@examples
@given(relevance(), st.integers(1, 15))
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(hit_rate_at, retrieval.retrieval_hit_rate, id="hit rate"),
        pytest.param(precision_at, retrieval.retrieval_precision, id="precision"),
        pytest.param(recall_at, retrieval.retrieval_recall, id="recall"),
        pytest.param(ndcg_at, retrieval.retrieval_normalized_dcg, id="ndcg"),
    ],
)
def test_without_ties_torchmetrics_finds_the_same(ours, theirs, world, top_k):
    expected = by_torchmetrics(theirs, *world, top_k=top_k)
    np.testing.assert_allclose(ours(ranks_of_relevant(*world), top_k), expected, atol=1e-6)  # float32 over there


@examples
@given(relevance())
def test_without_ties_torchmetrics_finds_the_same_reciprocal_rank(world):
    expected = by_torchmetrics(retrieval.retrieval_reciprocal_rank, *world)
    np.testing.assert_allclose(reciprocal_rank(ranks_of_relevant(*world)), expected, atol=1e-6)


@examples
@given(relevance(), st.integers(1, 15))
def test_average_precision_is_that_of_torchmetrics_up_to_the_stated_divisor(world, top_k):
    scores, relevant = world
    places = ranks_of_relevant(scores, relevant)
    hits = recall_at(places, top_k) * relevant.sum(axis=1)  # torchmetrics divides by these
    possible = np.maximum(1, np.minimum(relevant.sum(axis=1), top_k))  # we divide by these
    expected = by_torchmetrics(retrieval.retrieval_average_precision, scores, relevant, top_k=top_k)
    np.testing.assert_allclose(average_precision_at(places, top_k) * possible, expected * hits, atol=1e-5)


@examples
@given(relevance())
def test_over_the_whole_list_scikit_learn_finds_the_same_average_precision(world):
    scores, relevant = world
    some = relevant.any(axis=1)  # a row with nothing relevant counts 1 there, and 0 here
    actual = average_precision_at(ranks_of_relevant(scores, relevant), scores.shape[1])
    assert (actual[~some] == 0).all()
    if some.any():
        expected = label_ranking_average_precision_score(relevant[some], scores[some])
        assert actual[some].mean() == pytest.approx(expected, abs=1e-12)


@examples
@given(relevance(), st.integers(1, 15))
def test_without_ties_scikit_learn_finds_the_same_ndcg(world, top_k):
    scores, relevant = world
    expected = ndcg_score(relevant, scores, k=top_k)
    assert ndcg_at(ranks_of_relevant(scores, relevant), top_k).mean() == pytest.approx(expected, abs=1e-12)


@examples
@given(st.integers(3, 12), st.integers(1, 11), st.integers(0, 2**32 - 1))
def test_with_one_target_the_hit_rate_is_scikit_learns_top_k_accuracy(n_items, top_k, seed):
    rng = np.random.default_rng(seed)
    scores, targets = rng.permuted(np.tile(np.arange(n_items), (6, 1)), axis=1), rng.integers(n_items, size=6)
    top_k = min(top_k, n_items - 1)  # scikit-learn warns that all of the classes are no news
    expected = top_k_accuracy_score(targets, scores, k=top_k, labels=np.arange(n_items))
    assert hit_rate_at(ranks(scores, targets), top_k).mean() == pytest.approx(expected, abs=1e-12)


@examples
@given(relevance(ties=True))
def test_under_ties_one_target_a_row_has_the_reciprocal_of_its_average_rank(world):
    scores, _ = world
    targets = np.zeros(len(scores), dtype=np.int64)
    higher, equal = (scores > scores[:, :1]).sum(axis=1), (scores == scores[:, :1]).sum(axis=1)
    np.testing.assert_allclose(reciprocal_rank(ranks(scores, targets)), 2 / (2 * higher + equal + 1))


@examples
@given(relevance(ties=True), st.integers(1, 15))
def test_under_ties_no_metric_leaves_zero_to_one(world, top_k):
    places = ranks_of_relevant(*world)
    values = np.array([metric(places, top_k) for metric in AT_TOP_K] + [reciprocal_rank(places)])
    assert values.min() >= 0
    assert values.max() <= 1 + 1e-12


@examples
@given(relevance(ties=True), st.integers(1, 15))
def test_metrics_do_not_depend_on_the_order_of_a_rows_targets_or_of_the_rows(world, top_k):
    places = ranks_of_relevant(*world)
    for metric in AT_TOP_K:
        expected = metric(places, top_k)
        np.testing.assert_allclose(metric(places[:, ::-1], top_k), expected)
        np.testing.assert_allclose(metric(places[::-1], top_k), expected[::-1])


@examples
@given(relevance(), st.integers(1, 15))
def test_ties_among_targets_alone_cost_nothing(world, top_k):
    # All relevant items at the top with one score, the others below in any order: the list is perfect.
    scores, relevant = world
    tied = np.where(relevant, 2.0, scores)
    expected = relevant.any(axis=1).astype(float)
    places = ranks_of_relevant(tied, relevant)
    for metric in (hit_rate_at, ndcg_at, average_precision_at):
        np.testing.assert_allclose(metric(places, top_k), expected)
    np.testing.assert_allclose(reciprocal_rank(places), expected)


def test_one_target_at_rank_three_by_hand():
    assert hit_rate_at([3], 3).tolist() == [1]
    assert hit_rate_at([3], 2).tolist() == [0]
    assert precision_at([3], 3)[0] == pytest.approx(1 / 3)
    assert recall_at([3], 3).tolist() == [1]
    assert ndcg_at([3], 3).tolist() == [0.5]  # 1 / log2(4)
    assert ndcg_at([3], 2).tolist() == [0]
    assert average_precision_at([3], 3)[0] == pytest.approx(1 / 3)
    assert reciprocal_rank([3])[0] == pytest.approx(1 / 3)


def test_three_targets_at_ranks_one_four_and_six_by_hand():
    places = [[6, 1, 4]]
    assert precision_at(places, 5).tolist() == [2 / 5]
    assert recall_at(places, 5)[0] == pytest.approx(2 / 3)
    assert average_precision_at(places, 5)[0] == pytest.approx((1 + 2 / 4) / 3)
    assert average_precision_at(places, 6)[0] == pytest.approx((1 + 2 / 4 + 3 / 6) / 3)
    gained, best = 1 + 1 / np.log2(5), 1 + 1 / np.log2(3) + 1 / np.log2(4)
    assert ndcg_at(places, 5)[0] == pytest.approx(gained / best)
    assert reciprocal_rank(places).tolist() == [1]


def test_a_rank_shared_by_places_ten_and_eleven_is_outside_the_top_ten():
    assert hit_rate_at([10.5], 10).tolist() == [0]
    assert hit_rate_at([10.5], 11).tolist() == [1]
    assert ndcg_at([10.5], 11)[0] == pytest.approx(1 / np.log2(11.5))


def test_two_targets_that_share_rank_one_and_a_half_fill_places_one_and_two():
    shared, apart = [[1.5, 1.5]], [[1, 2]]
    for metric in AT_TOP_K:
        assert metric(shared, 1).tolist() == metric(apart, 1).tolist()
        assert metric(shared, 2).tolist() == metric(apart, 2).tolist()
    assert reciprocal_rank(shared).tolist() == [1]


def test_two_targets_among_four_equal_items_take_the_places_in_the_middle():
    places = ranks(np.zeros((1, 4)), [[0, 3]])
    assert places.tolist() == [[2.5, 2.5]]
    assert recall_at(places, 2).tolist() == [0.5]  # places 2 and 3
    assert average_precision_at(places, 3)[0] == pytest.approx((1 / 2 + 2 / 3) / 2)


@pytest.mark.parametrize("metric", AT_TOP_K)
def test_a_row_with_nothing_relevant_counts_zero(metric):
    assert metric([[NAN, NAN], [1, NAN]], 5)[0] == 0
    assert metric([NAN, 1], 5)[0] == 0
    assert metric(np.empty((3, 0)), 5).tolist() == [0, 0, 0]
    assert metric(ranks(np.zeros((1, 3)), [[NO_ITEM, NO_ITEM]]), 5).tolist() == [0]


@pytest.mark.parametrize("metric", AT_TOP_K)
def test_blank_places_in_a_row_change_nothing(metric):
    np.testing.assert_array_equal(metric([[NAN, 4, NAN, 1]], 4), metric([[1, 4]], 4))


@pytest.mark.parametrize("metric", AT_TOP_K)
def test_a_list_longer_than_the_catalogue_only_lowers_precision(metric):
    places = ranks(np.array([[3.0, 2.0, 1.0]]), [[0, 2]])
    assert metric(places, 30)[0] == pytest.approx(metric(places, 3)[0] * (0.1 if metric is precision_at else 1))


@pytest.mark.parametrize("metric", AT_TOP_K)
def test_a_list_without_places_is_refused(metric):
    with pytest.raises(ValueError, match="top_k=0"):
        metric([1.0], 0)


@pytest.mark.parametrize("metric", AT_TOP_K)
@pytest.mark.parametrize("top_k", [[5, 10], np.array([5]), 2.5, "5", None])
def test_a_length_that_is_not_one_whole_number_is_refused(metric, top_k):
    with pytest.raises(TypeError, match=r"top_k=.*: one whole number was expected"):
        metric([1.0], top_k)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        pytest.param([[2, 3], [1, 1]], "row 1 has ranks that cannot occur", id="two targets in one place"),
        pytest.param([1, 0], "row 1 has ranks that cannot occur", id="a rank from 0"),
        pytest.param([[[1]]], r"\(1, 1, 1\)", id="three dimensions"),
        pytest.param(1.0, r"shape \(\)", id="one number"),
    ],
)
def test_ranks_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        reciprocal_rank(wrong)
