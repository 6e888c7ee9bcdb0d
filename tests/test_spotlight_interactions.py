"""Interactions: what fits, their matrix, and windows of a user's history."""

import numpy as np
import pytest

from course_utils.spotlight.interactions import Interactions, SequenceInteractions


def history(items, users=None, timestamps=None):
    users = [7] * len(items) if users is None else users
    timestamps = range(len(items)) if timestamps is None else timestamps
    return Interactions(*(np.array(list(column), dtype=np.int32) for column in (users, items)), timestamps=timestamps)


def test_counts_not_declared_are_the_largest_id_plus_one():
    data = Interactions(np.array([0, 4]), np.array([7, 2]))
    assert (data.num_users, data.num_items, len(data)) == (5, 8, 2)
    assert repr(data) == "<Interactions dataset (5 users x 8 items x 2 interactions)>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_users": 4}, "user id 4 does not fit num_users=4"),
        ({"num_items": 7}, "item id 7 does not fit num_items=7"),
        ({"ratings": np.ones(3)}, r"ratings has the shape \(3,\)"),
        ({"user_ids": np.array([-1, 0])}, "user id -1 is negative"),
        ({"user_ids": np.array([], int), "item_ids": np.array([], int)}, "num_users"),
    ],
)
def test_interactions_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Interactions(**{"user_ids": np.array([0, 4]), "item_ids": np.array([7, 2]), **arguments})


def test_the_matrix_holds_ratings_and_adds_up_a_repeated_pair():
    data = Interactions(np.array([0, 1, 1]), np.array([1, 0, 0]), ratings=np.array([2.0, 3.0, 4.0]))
    assert data.tocsr().toarray().tolist() == [[0, 2], [7, 0]]
    assert Interactions(np.array([0]), np.array([1])).tocsr().toarray().tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_sequence_length": 3}, [[3, 4, 5], [0, 1, 2]]),
        (
            {"max_sequence_length": 3, "step_size": 1},
            [[3, 4, 5], [2, 3, 4], [1, 2, 3], [0, 1, 2], [0, 0, 1]],
        ),
        ({"max_sequence_length": 3, "step_size": 2}, [[3, 4, 5], [1, 2, 3], [0, 0, 1]]),
        ({"max_sequence_length": 3, "step_size": 1, "min_sequence_length": 3}, [[3, 4, 5], [2, 3, 4], [1, 2, 3]]),
        ({}, [[0, 0, 0, 0, 0, 1, 2, 3, 4, 5]]),
    ],
)
def test_windows_are_cut_from_the_newest_item_backwards(settings, expected):
    windows = history([1, 2, 3, 4, 5]).to_sequence(**settings)
    assert windows.sequences.tolist() == expected
    assert windows.user_ids.tolist() == [7] * len(expected)
    assert (windows.sequences.dtype, windows.user_ids.dtype) == (np.int32, np.int32)
    assert (windows.num_items, windows.max_sequence_length) == (6, len(expected[0]))


def test_users_come_in_ascending_order_and_ties_in_time_stay_in_the_order_of_the_rows():
    data = history([4, 3, 2, 1], users=[9, 8, 9, 9], timestamps=[5, 0, 5, 1])
    windows = data.to_sequence(max_sequence_length=2)
    assert windows.sequences.tolist() == [[0, 3], [4, 2], [0, 1]]  # user 9 in order of time: 1, then 4 and 2
    assert windows.user_ids.tolist() == [8, 9, 9]


def test_windows_know_of_items_that_nobody_has():
    data = Interactions(np.array([0]), np.array([1]), timestamps=np.array([0]), num_items=50)
    assert data.to_sequence().num_items == 50
    assert SequenceInteractions(np.array([[0, 3]])).num_items == 4
    assert (
        repr(SequenceInteractions(np.array([[0, 3]])))
        == "<Sequence interactions dataset (1 sequences x 2 sequence length)>"
    )


@pytest.mark.parametrize(
    ("data", "settings", "message"),
    [
        (Interactions(np.array([0]), np.array([1])), {}, "no timestamps"),
        (history([0, 1]), {}, "item id 0"),
        (history([1]), {"min_sequence_length": 11}, "min_sequence_length=11 is more than max_sequence_length=10"),
        (history([1]), {"step_size": 0}, "step_size=0: at least 1"),
        (history([1]), {"max_sequence_length": 0}, "max_sequence_length=0: at least 1"),
    ],
)
def test_what_cannot_be_cut_is_refused(data, settings, message):
    with pytest.raises(ValueError, match=message):
        data.to_sequence(**settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequences": np.array([1, 2])}, r"shape \(2,\)"),
        ({"sequences": np.array([[1, 2]]), "user_ids": np.array([1, 2])}, r"user_ids has the shape \(2,\)"),
        ({"sequences": np.array([[1, 5]]), "num_items": 5}, "item id 5 does not fit num_items=5"),
        ({"sequences": np.array([[-1, 5]])}, "item id -1 is negative"),
    ],
)
def test_sequences_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SequenceInteractions(**arguments)


@pytest.mark.parametrize("ids", [[0.5, 1.0], [np.nan, 1.0], ["1", "2"], [True, False]])
def test_ids_that_are_not_whole_numbers_are_refused_by_their_name(ids):
    with pytest.raises(TypeError, match="user_ids are whole numbers"):
        Interactions(ids, [0, 1])
    with pytest.raises(TypeError, match="item_ids are whole numbers"):
        Interactions([0, 1], ids)
    with pytest.raises(TypeError, match="sequences are whole numbers"):
        SequenceInteractions([ids])
    with pytest.raises(TypeError, match="user_ids are whole numbers"):
        SequenceInteractions([[1], [2]], ids)


def test_ids_in_a_column_are_refused_with_their_shape():
    with pytest.raises(ValueError, match=r"user_ids has the shape \(2, 1\)"):
        Interactions(np.array([[0], [1]]), np.array([[0], [1]]))


@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (5.5, TypeError, "num_users=5.5: one whole number"),
        ("5", TypeError, "num_users='5'"),
        (-5, ValueError, "num_users=-5: at least 0"),
    ],
)
def test_a_declared_number_that_makes_no_sense_is_refused(number, error, message):
    with pytest.raises(error, match=message):
        Interactions([0, 1], [0, 1], num_users=number)
    with pytest.raises(error, match=message.replace("users", "items")):
        SequenceInteractions([[0, 1]], num_items=number)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64])
def test_ids_keep_the_integer_dtype_that_they_have(dtype):
    data = Interactions(np.array([0, 100], dtype), np.array([1, 100], dtype), num_items=np.int64(200))
    assert (data.user_ids.dtype, data.item_ids.dtype) == (dtype, dtype)
    assert (data.num_users, data.num_items) == (101, 200)


def test_no_interactions_at_all_are_fine_with_declared_numbers():
    data = Interactions([], [], num_users=2, num_items=3)
    assert data.tocsr().shape == (2, 3)
    assert data.tocsr().nnz == 0
