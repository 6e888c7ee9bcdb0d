"""Spotlight's splits under our own code."""

import numpy as np
import pytest
from spotlight_data import interactions

from course_utils.spotlight.cross_validation import (
    random_train_test_split,
    shuffle_interactions,
    user_based_train_test_split,
)
from course_utils.spotlight.interactions import Interactions


def test_the_random_split_is_the_shuffled_order_cut_at_the_floor():
    data = interactions(n=11)
    order = np.arange(11)
    np.random.RandomState(5).shuffle(order)
    train, test = random_train_test_split(data, test_percentage=0.25, random_state=np.random.RandomState(5))
    assert train.timestamps.tolist() == order[:8].tolist()  # int(0.75 * 11) = 8
    assert test.timestamps.tolist() == order[8:].tolist()
    assert (train.num_users, test.num_items) == (30, 40)


def test_a_shuffle_keeps_rows_together():
    data = interactions()
    shuffled = shuffle_interactions(data, random_state=0)
    back = np.argsort(shuffled.timestamps)
    for name in ("user_ids", "item_ids", "ratings"):
        assert np.array_equal(getattr(shuffled, name)[back], getattr(data, name))
    assert not np.array_equal(back, np.arange(len(data)))


def test_the_user_split_divides_users_and_keeps_the_order_of_rows():
    data = interactions()
    train, test = user_based_train_test_split(data, test_percentage=0.3, random_state=np.random.RandomState(0))
    assert not set(train.user_ids) & set(test.user_ids)
    assert sorted([*train.timestamps, *test.timestamps]) == list(range(len(data)))
    assert np.all(np.diff(train.timestamps) > 0)
    assert np.all(np.diff(test.timestamps) > 0)


def test_the_user_split_takes_the_published_murmur_hash():
    # MurmurHash3_x86_32 of four zero bytes with the seed 0 is 0x2362f9de, and 593,689,054 modulo 100 is 54.
    class Seed0(np.random.RandomState):
        def randint(self, *args, **kwargs):
            return 0

    data = Interactions(np.array([0]), np.array([0]))
    sizes = [len(user_based_train_test_split(data, share, random_state=Seed0())[1]) for share in (0.54, 0.55)]
    assert sizes == [0, 1]


@pytest.mark.parametrize("split", [random_train_test_split, user_based_train_test_split])
def test_the_user_ids_may_be_of_any_int_type_and_a_percentage_is_refused(split):
    data = Interactions(np.arange(50, dtype=np.int64), np.arange(50))
    assert sum(map(len, split(data, random_state=0))) == 50
    with pytest.raises(ValueError, match="got 20"):
        split(data, test_percentage=20)


@pytest.mark.parametrize("split", [random_train_test_split, user_based_train_test_split])
def test_an_int_is_the_seed_of_a_random_state_and_a_generator_is_refused(split):
    data = interactions()
    by_int, by_state = split(data, random_state=3), split(data, random_state=np.random.RandomState(3))
    assert np.array_equal(by_int[1].timestamps, by_state[1].timestamps)
    with pytest.raises(TypeError, match="Generator"):
        split(data, random_state=np.random.default_rng(3))
