"""Interactions as windows of a user's history."""

import numpy as np
import pytest

from course_utils.spotlight.interactions import Interactions, SequenceInteractions


def history(items, users=None, timestamps=None):
    users = [7] * len(items) if users is None else users
    timestamps = range(len(items)) if timestamps is None else timestamps
    return Interactions(*(np.array(list(column), dtype=np.int32) for column in (users, items)), timestamps=timestamps)


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
        (history([1]), {"min_sequence_length": 11}, "min_length is 11"),
        (history([1]), {"step_size": 0}, "step 0"),
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
