"""Ranks of the targets: against the whole catalogue, against sampled negatives, in batches."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import rankdata

from course_utils.evaluation import NO_ITEM, catalogue_ranks, ranks, sampled_ranks, targets_by_row

pytestmark = pytest.mark.filterwarnings("error")

examples = settings(deadline=None)  # no time limit an example: the cores may be shared

SCORES = np.array([[0.9, 0.1, 0.5, 0.5, 0.2]])  # ranks by hand: 1, 5, 2.5, 2.5, 4


@st.composite
def worlds(draw):
    """Scores with and without ties, in several dtypes; up to three targets a row; items that were seen."""
    n_rows, n_items = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["untied", "tied", "constant", "whole", "infinite"]))
    if kind == "untied":
        scores = rng.permuted(np.tile(np.arange(n_items) / 7, (n_rows, 1)), axis=1).astype(np.float32)
    elif kind == "infinite":
        scores = rng.choice(np.array([-np.inf, -1.0, 2.0, np.inf]), (n_rows, n_items))
    elif kind == "whole":
        scores = rng.integers(-128, 128, (n_rows, n_items), dtype=np.int8)
    else:
        scores = rng.integers(0, 4 if kind == "tied" else 1, (n_rows, n_items)).astype(np.float32)
    n_targets = draw(st.integers(1, min(3, n_items)))
    targets = np.array([rng.permutation(n_items)[:n_targets] for _ in range(n_rows)])
    blank = rng.random(targets.shape) < draw(st.sampled_from([0.0, 0.5]))
    return scores, np.where(blank, NO_ITEM, targets), rng.random(scores.shape) < draw(st.sampled_from([0.0, 0.4, 1.0]))


def ranks_row_by_row(scores, targets, seen):
    """The same ranks by scipy: sort what competes, average the places of ties."""
    expected = np.full(targets.shape, np.nan)
    for row, (row_scores, row_targets, row_seen) in enumerate(zip(scores, targets, seen, strict=True)):
        competes = ~row_seen
        competes[row_targets[row_targets >= 0]] = True
        row_ranks = np.full(len(row_scores), np.nan)
        row_ranks[competes] = rankdata(-row_scores[competes].astype(np.float64), method="average")
        expected[row] = np.where(row_targets >= 0, row_ranks[row_targets], np.nan)
    return expected


@examples
@given(worlds())
def test_ranks_are_those_of_scipy_with_and_without_ties_and_exclusions(world):
    scores, targets, seen = world
    np.testing.assert_array_equal(ranks(scores, targets), ranks_row_by_row(scores, targets, np.zeros_like(seen)))
    np.testing.assert_array_equal(ranks(scores, targets, seen=seen), ranks_row_by_row(scores, targets, seen))


@examples
@given(worlds(), st.integers(1, 7))
def test_neither_a_sparse_matrix_nor_batches_change_a_rank(world, batch_size):
    scores, targets, seen = world
    expected = ranks(scores, targets, seen=seen)
    for form in (sparse.csr_array, sparse.csr_matrix, sparse.coo_array, sparse.csc_array):
        np.testing.assert_array_equal(ranks(scores, targets, seen=form(seen.astype(np.float32))), expected)
        in_batches = catalogue_ranks(scores.__getitem__, targets, seen=form(seen), batch_size=batch_size)
        np.testing.assert_array_equal(in_batches, expected)
    in_batches = catalogue_ranks(scores.__getitem__, targets, seen=seen, batch_size=batch_size)
    np.testing.assert_array_equal(in_batches, expected)


@examples
@given(worlds(), st.data())
def test_a_padding_item_is_ranked_as_if_its_column_did_not_exist(world, data):
    scores, targets, seen = world
    padding_item = data.draw(st.integers(0, scores.shape[1]))
    padded = np.insert(scores.astype(np.float64), padding_item, data.draw(st.sampled_from([-np.inf, 0, np.inf])), 1)
    padded_seen = np.insert(seen, padding_item, data.draw(st.booleans()), 1)
    shifted = np.where(targets >= padding_item, targets + 1, targets)
    actual = ranks(padded, shifted, seen=padded_seen, padding_item=padding_item)
    np.testing.assert_array_equal(actual, ranks(scores, targets, seen=seen))


@examples
@given(worlds(), st.randoms(use_true_random=False))
def test_relabelling_the_items_changes_no_rank(world, random):
    scores, targets, seen = world
    new_id = np.array(random.sample(range(scores.shape[1]), scores.shape[1]))
    order = np.argsort(new_id)
    relabelled = ranks(scores[:, order], np.where(targets < 0, targets, new_id[targets]), seen=seen[:, order])
    np.testing.assert_array_equal(relabelled, ranks(scores, targets, seen=seen))


def test_two_equal_items_behind_one_better_share_rank_two_and_a_half():
    np.testing.assert_array_equal(ranks(SCORES, [[0, 1, 2, 3, 4]]), [[1, 5, 2.5, 2.5, 4]])


@pytest.mark.parametrize(("n_items", "middle"), [(1, 1), (2, 1.5), (101, 51)])
def test_constant_scores_give_the_middle_of_the_candidates(n_items, middle):
    assert ranks(np.zeros((1, n_items)), [0]).tolist() == [middle]


def test_a_seen_item_no_longer_stands_before_the_target():
    seen = np.array([[True, False, False, True, False]])
    np.testing.assert_array_equal(ranks(SCORES, [2], seen=seen), [1])


def test_a_target_that_was_seen_is_ranked_for_itself_and_against_the_rows_other_targets():
    everything = np.ones((1, 5), dtype=bool)
    np.testing.assert_array_equal(ranks(SCORES, [4], seen=everything), [1])
    np.testing.assert_array_equal(ranks(SCORES, [[4, 0]], seen=everything), [[2, 1]])


def test_a_stored_zero_removes_nothing_and_a_pair_stored_twice_removes_once():
    pairs = (np.array([1.0, 1.0, 0.0]), (np.array([0, 0, 0]), np.array([0, 0, 2])))
    seen = sparse.csr_array((pairs[0], pairs[1][1], [0, 3]), shape=(1, 5))
    assert not seen.has_canonical_format
    for form in (seen, sparse.coo_array(pairs, shape=(1, 5))):
        np.testing.assert_array_equal(ranks(SCORES, [4], seen=form), [3])  # behind items 2 and 3
    assert seen.nnz == 3  # the caller's matrix is as it was


def test_removed_items_do_not_tie_with_a_target_at_minus_infinity():
    scores = np.array([[-np.inf, 1.0, -np.inf, 2.0]])
    np.testing.assert_array_equal(ranks(scores, [0]), [3.5])
    np.testing.assert_array_equal(ranks(scores, [0], seen=np.array([[False, True, True, False]])), [2])


def test_scores_that_differ_in_their_last_bit_do_not_tie():
    close = np.array([[1.0, np.nextafter(1.0, 2.0)]])
    assert ranks(close, [0]).tolist() == [2]
    assert ranks(np.array([[2**53, 2**53 + 1]]), [0]).tolist() == [2]  # the same number in float64
    assert ranks(close.astype(np.float32), [0]).tolist() == [1.5]  # the same number in float32


def test_temporary_arrays_stay_small_whatever_the_number_of_rows():
    scores = np.broadcast_to(np.arange(2048, dtype=np.float32), (20_000, 2048))  # one mask of it would be 41 MB
    tracemalloc.start()
    try:
        actual = ranks(scores, np.full(20_000, 2000), padding_item=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6
    assert (actual == 48).all()


def test_a_model_is_asked_for_each_row_once_and_never_for_more_than_a_batch():
    asked = []

    def score(rows):
        asked.append(rows)
        return np.zeros((len(rows), 4))

    np.testing.assert_array_equal(catalogue_ranks(score, np.zeros(10, np.int64), batch_size=4), np.full(10, 2.5))
    assert [rows.tolist() for rows in asked] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_no_rows_have_no_ranks():
    assert ranks(np.empty((0, 5)), np.empty(0, np.int64)).shape == (0,)
    assert ranks(np.empty((0, 5)), np.empty((0, 3), np.int64)).shape == (0, 3)
    assert catalogue_ranks(None, []).shape == (0,)
    assert sampled_ranks(None, [], [], np.empty((0, 99), np.int64)).shape == (0,)


@examples
@given(st.integers(1, 8), st.integers(0, 10), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_sampled_ranks_are_those_of_scipy_among_target_and_negatives(n_rows, n_negatives, batch_size, seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 4, (5, 30)).astype(np.float32)  # user x item, heavily tied
    user_ids, targets = rng.integers(5, size=n_rows), rng.integers(10, size=n_rows)
    negatives = rng.integers(10, 30, (n_rows, n_negatives))  # repeats and all

    def predict(user_ids, item_ids):
        return table[user_ids, item_ids]

    expected = [
        rankdata(-table[user, [target, *row]].astype(np.float64))[0]
        for user, target, row in zip(user_ids, targets, negatives, strict=True)
    ]
    np.testing.assert_array_equal(sampled_ranks(predict, user_ids, targets, negatives, batch_size=batch_size), expected)


def test_a_target_among_its_own_negatives_is_refused():
    with pytest.raises(ValueError, match="row 1: its target, item 5"):
        sampled_ranks(lambda users, items: np.zeros(len(items)), [0, 0], [4, 5], [[1, 2], [3, 5]])


@pytest.mark.parametrize("name", ["user_ids", "targets", "negatives"])
def test_a_negative_id_is_refused_before_a_model_takes_it_for_the_last_one(name):
    ids = {"user_ids": [0, 1], "targets": [1, 2], "negatives": [[3], [0]]}
    ids[name] = np.where(np.array(ids[name]) == 0, -1, ids[name]) if name != "targets" else [1, -1]
    with pytest.raises(ValueError, match=f"{name} hold -1"):
        sampled_ranks(lambda users, items: np.zeros(len(items)), **ids)


def test_an_id_that_is_too_large_is_left_to_the_model():
    with pytest.raises(IndexError, match="index 9 is out of bounds"):
        sampled_ranks(lambda users, items: np.zeros(5)[items], [0], [1], [[9]])


def test_ids_of_a_table_are_passed_on_to_the_model_as_pairs():
    seen_pairs = []

    def predict(user_ids, item_ids):
        seen_pairs.extend(zip(user_ids.tolist(), item_ids.tolist(), strict=True))
        return -item_ids.astype(np.float32)

    assert sampled_ranks(predict, [7, 8], [1, 4], [[0, 2], [3, 5]]).tolist() == [2, 2]
    assert seen_pairs == [(7, 1), (7, 0), (7, 2), (8, 4), (8, 3), (8, 5)]


@pytest.mark.parametrize(
    ("scores", "targets", "options", "message"),
    [
        pytest.param([[0, np.nan], [0, 1]], [0, 1], {}, "item 1 in row 0 is NaN", id="a score is NaN"),
        pytest.param(SCORES, [5], {}, "target 5 of row 0 does not fit 5 items", id="target off the end"),
        pytest.param(SCORES, [-1], {}, "target -1 of row 0", id="unknown id as the only target"),
        pytest.param(SCORES, [[3, 1, 3]], {}, "row 0 has the target 3 twice", id="a target twice in a row"),
        pytest.param(SCORES, [[1, -2]], {}, "target -2 of row 0", id="below the blank"),
        pytest.param(SCORES, [0, 1], {}, r"\(1, 5\) and targets \(2,\)", id="more targets than rows"),
        pytest.param(SCORES[0], [0], {}, r"scores \(5,\)", id="scores without rows"),
        pytest.param(SCORES, [[[0]]], {}, r"targets \(1, 1, 1\)", id="targets of three dimensions"),
        pytest.param(SCORES, [0], {"padding_item": 0}, "row 0 is the padding item 0", id="padding as target"),
        pytest.param(SCORES, [0], {"padding_item": 5}, "padding_item=5", id="padding off the end"),
        pytest.param(SCORES, [0], {"seen": np.ones((1, 4), bool)}, r"seen of shape \(1, 4\)", id="narrow mask"),
    ],
)
def test_what_has_no_rank_is_refused_with_the_number_that_is_wrong(scores, targets, options, message):
    with pytest.raises(ValueError, match=message):
        ranks(scores, targets, **options)


def test_the_row_of_a_nan_is_counted_over_all_blocks():
    scores = np.zeros((3, 1_500_000), dtype=np.float32)  # one row a block
    scores[2, 7] = np.nan
    with pytest.raises(ValueError, match="item 7 in row 2 is NaN"):
        ranks(scores, [0, 0, 0])


def test_a_nan_in_a_later_batch_is_named_by_its_batch_and_by_its_user_and_item():
    scores = np.zeros((6, 5))
    scores[4, 3] = np.nan
    with pytest.raises(ValueError, match="batch of rows 4 to 5, counted from 0: the score of item 3 in row 0 is NaN"):
        catalogue_ranks(scores.__getitem__, np.zeros(6, np.int64), batch_size=2)
    with pytest.raises(ValueError, match="user 4 and item 3 is NaN"):
        sampled_ranks(lambda u, i: scores[u, i], np.arange(6), np.zeros(6, np.int64), np.full((6, 2), 3), batch_size=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: ranks(SCORES, [1.0]), "targets are whole numbers", id="targets as floats"),
        pytest.param(lambda: ranks(SCORES > 0, [True]), "targets are whole numbers", id="targets as a mask"),
        pytest.param(lambda: ranks(SCORES * 1j, [1]), "real numbers", id="complex scores"),
        pytest.param(lambda: ranks(SCORES, [1], seen=np.ones((1, 5))), "mask of bool", id="seen as numbers"),
        pytest.param(lambda: ranks(SCORES, [1], seen=[[1], [2, 3]]), "mask of bool .* list", id="seen as lists"),
        pytest.param(lambda: ranks(SCORES, [1], seen={0: [1]}), "scipy sparse matrix, found a dict", id="seen by row"),
        pytest.param(lambda: ranks(SCORES, [1], seen="all"), "mask of bool .* found a str", id="seen as a word"),
    ],
)
def test_what_is_of_another_kind_is_a_type_error(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: catalogue_ranks(lambda rows: np.zeros(3), [0]), r"shape \(3,\) for 1 rows", id="flat"),
        pytest.param(lambda: catalogue_ranks(SCORES.__getitem__, [0], batch_size=0), "batch_size=0", id="no batch"),
        pytest.param(
            lambda: catalogue_ranks(SCORES.__getitem__, [0], seen=np.zeros((2, 5), bool)), r"\(2, 5\)", id="tall mask"
        ),
        pytest.param(
            lambda: sampled_ranks(lambda u, i: np.zeros((3, 1)), [0], [0], [[1, 2]]),
            r"\(3, 1\) for 3 pairs",
            id="column",
        ),
        pytest.param(lambda: sampled_ranks(None, [0, 1], [0], [[1]]), r"user_ids \(2,\)", id="a user too many"),
        pytest.param(lambda: sampled_ranks(None, [0], [0], [1, 2]), r"negatives \(2,\)", id="negatives without rows"),
    ],
)
def test_a_batch_of_the_wrong_shape_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_pairs_become_a_table_of_targets_with_blank_rows_for_rows_without_any():
    table = targets_by_row([3, 0, 3, 0, 3], [9, 4, 2, 8, 5], n_rows=5)
    expected = [[4, 8, -1], [-1, -1, -1], [-1, -1, -1], [2, 5, 9], [-1, -1, -1]]
    np.testing.assert_array_equal(table, expected)
    np.testing.assert_array_equal(targets_by_row([], [], n_rows=2), [[-1], [-1]])


@pytest.mark.parametrize(
    ("rows", "items", "message"),
    [
        pytest.param([0, 1, 0], [3, 3, 3], "row 0 has item 3 twice", id="a pair twice"),
        pytest.param([0, 2], [3, 3], "row 2, item 3", id="no such row"),
        pytest.param([0], [-1], "row 0, item -1", id="no such item"),
        pytest.param([0, 1], [3], r"\(2,\) and item_ids \(1,\)", id="an item too few"),
    ],
)
def test_pairs_that_make_no_table_are_refused(rows, items, message):
    with pytest.raises(ValueError, match=message):
        targets_by_row(rows, items, n_rows=2)


def test_a_judge_that_needs_a_metric_loads_neither_torch_nor_scipy():
    code = "import sys, course_utils.evaluation; print({'torch', 'scipy', 'pandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
