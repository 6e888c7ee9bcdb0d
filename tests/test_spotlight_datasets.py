"""Spotlight's data sets under our own code."""

import numpy as np
import pandas as pd
import pytest

from course_utils import movielens
from course_utils.spotlight.datasets import synthetic
from course_utils.spotlight.datasets.movielens import get_movielens_dataset
from course_utils.spotlight.datasets.synthetic import generate_sequential


@pytest.fixture
def three_ratings(monkeypatch):
    """Stands in for the files of every data set; returns the names that were asked for."""
    asked = []

    def load(name):
        asked.append(name)
        ratings = pd.DataFrame(
            {
                "user_id": np.array([196, 186, 196], np.int32),
                "item_id": np.array([242, 302, 377], np.int32),
                "rating": np.array([3, 1, 5], np.float32),
                "timestamp": np.array([881250949, 891717742, 878887116], np.int64),
                "position": np.arange(3),
            }
        )
        return movielens.MovieLens(ratings, pd.DataFrame())

    monkeypatch.setattr(movielens, "load", load)
    return asked


def test_100k_keeps_the_ids_of_the_file_and_the_order_of_its_rows(three_ratings):
    data = get_movielens_dataset()
    assert three_ratings == ["ml-100k"]
    assert data.user_ids.tolist() == [196, 186, 196]
    assert data.item_ids.tolist() == [242, 302, 377]
    assert data.ratings.tolist() == [3, 1, 5]
    assert data.timestamps.tolist() == [881250949, 891717742, 878887116]
    assert (data.num_users, data.num_items) == (197, 378)
    dtypes = [column.dtype for column in (data.user_ids, data.item_ids, data.ratings, data.timestamps)]
    assert dtypes == [np.int32, np.int32, np.float32, np.int32]


def test_1m_numbers_users_and_items_from_one_by_first_appearance(three_ratings):
    data = get_movielens_dataset("1M")
    assert three_ratings == ["ml-1m"]
    assert data.user_ids.tolist() == [1, 2, 1]
    assert data.item_ids.tolist() == [1, 2, 3]
    assert (data.num_users, data.num_items) == (3, 4)
    assert {data.user_ids.dtype, data.item_ids.dtype} == {np.dtype(np.int32)}


@pytest.mark.parametrize(
    ("variant", "message"),
    [("10M", "does not carry MovieLens 10M"), ("20M", "does not carry MovieLens 20M"), ("100k", "got '100k'")],
)
def test_other_variants_are_refused_in_one_line(three_ratings, variant, message):
    with pytest.raises(ValueError, match=message):
        get_movielens_dataset(variant)
    assert three_ratings == []


@pytest.mark.realdata
def test_the_genuine_100k_has_a_dead_user_and_a_dead_item():
    data = get_movielens_dataset("100K")
    assert repr(data) == "<Interactions dataset (944 users x 1683 items x 100000 interactions)>"
    assert (data.user_ids.min(), data.item_ids.min()) == (1, 1)
    assert (data.user_ids[0], data.item_ids[0], data.ratings[0], data.timestamps[0]) == (196, 242, 3, 881250949)


def test_a_made_up_chain_is_sorted_by_user_and_time_and_leaves_item_zero_out():
    data = generate_sequential(num_users=10, num_items=20, num_interactions=500, random_state=0)
    assert (len(data), data.num_users, data.num_items) == (500, 10, 20)
    assert np.all(np.diff(data.user_ids) >= 0)
    assert data.timestamps.tolist() == list(range(500))
    assert data.item_ids.min() >= 1
    assert np.all(data.ratings == 1)
    again = generate_sequential(num_users=10, num_items=20, num_interactions=500, random_state=np.random.RandomState(0))
    assert np.array_equal(data.item_ids, again.item_ids)


def test_no_item_of_a_made_up_chain_is_much_more_frequent_than_another():
    data = generate_sequential(num_items=11, num_interactions=20_000, random_state=0)
    counts = np.bincount(data.item_ids, minlength=11)[1:]
    assert counts / 2000 == pytest.approx(np.ones(10), abs=0.2)


def test_the_next_item_follows_the_mean_of_the_last_items_rows(monkeypatch):
    # State 0 leads to 1, 1 to 2 and 2 to 0, always: so after (a, b) comes a + 1 or b + 1, each in half the cases.
    monkeypatch.setattr(synthetic, "_transition_matrix", lambda *_: np.roll(np.eye(3), 1, axis=1))
    data = generate_sequential(num_items=4, num_interactions=5000, order=2, random_state=0)
    first, second, third = (data.item_ids[i : len(data) - 2 + i] for i in range(3))
    after_first, after_second = first % 3 + 1, second % 3 + 1
    assert np.all((third == after_first) | (third == after_second))
    split = after_first != after_second
    assert np.mean(third[split] == after_first[split]) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("concentration", "low", "high"), [(1e-3, 0.9, 1.0), (100.0, 0.0, 0.2)])
def test_a_small_concentration_makes_the_next_item_predictable(concentration, low, high):
    data = generate_sequential(
        num_items=11, num_interactions=5000, concentration_parameter=concentration, order=1, random_state=0
    )
    followers = np.zeros((11, 11))
    np.add.at(followers, (data.item_ids[:-1], data.item_ids[1:]), 1)
    best_guess_right = followers.max(axis=1).sum() / followers.sum()
    assert low <= best_guess_right <= high
