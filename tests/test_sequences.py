import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import splits
from course_utils.sequences import count_later, cut_windows, leave_last_out

# User 3 met 31, 32, 33, 34, 35 in this order, user 8 met 81. Rows are shuffled; 33 and 34 share their second.
USERS = np.array([3, 8, 3, 3, 3, 3])
ITEMS = np.array([32, 81, 35, 33, 31, 34])
TIMES = np.array([20, 25, 40, 30, 10, 30])


@st.composite
def histories(draw):
    """Users, items and times of 0 to 40 events, with many ties."""
    event = st.tuples(st.integers(-2, 4), st.integers(1, 9), st.integers(0, 6))
    events = draw(st.lists(event, max_size=40))
    return tuple(np.array([one[column] for one in events], dtype=np.int64) for column in range(3))


def slow_histories(user_ids, item_ids, timestamps, positions) -> dict[int, list[int]]:
    """Each user's items, oldest first, found by going through the events one by one."""
    found: dict[int, list[int]] = {}
    for row in sorted(range(len(user_ids)), key=lambda row: (timestamps[row], positions[row])):
        found.setdefault(int(user_ids[row]), []).append(int(item_ids[row]))
    return dict(sorted(found.items()))


def padded(items: list[int], length: int) -> list[int]:
    return [0] * (length - len(items)) + items


@given(histories(), st.integers(1, 7), st.integers(1, 9), st.data())
def test_windows_agree_with_cutting_them_one_by_one(events, length, step, data):
    min_length = data.draw(st.integers(1, length))
    positions = np.array(data.draw(st.permutations(range(len(events[0])))), dtype=np.int64)
    expected = []
    for user, items in slow_histories(*events, positions).items():
        end = len(items)
        while end > 0:
            window = items[max(0, end - length) : end]
            if len(window) >= min_length:
                expected.append((user, padded(window, length)))
            end -= step
    sequences, user_ids = cut_windows(*events, positions=positions, length=length, step=step, min_length=min_length)
    assert list(zip(user_ids.tolist(), sequences.tolist(), strict=True)) == expected
    assert sequences.shape == (len(expected), length)


@given(histories(), st.integers(1, 7), st.integers(0, 4), st.data())
def test_the_last_item_and_its_context_agree_with_a_search_user_by_user(events, length, n_later, data):
    positions = np.array(data.draw(st.permutations(range(len(events[0])))), dtype=np.int64)
    expected = []
    for user, items in slow_histories(*events, positions).items():
        if len(items) > n_later:
            *before, target = items[: len(items) - n_later]
            expected.append((user, padded(before[-length:], length), target))
    found = leave_last_out(*events, positions=positions, length=length, n_later=n_later)
    assert found.contexts.shape == (len(expected), length)
    assert list(zip(found.user_ids.tolist(), found.contexts.tolist(), found.targets.tolist(), strict=True)) == expected


@given(histories(), st.data())
def test_count_later_agrees_with_comparing_every_pair_of_events(events, data):
    user_ids, _, timestamps = events
    positions = np.array(data.draw(st.permutations(range(len(user_ids)))), dtype=np.int64)
    keys = list(zip(timestamps.tolist(), positions.tolist(), strict=True))
    expected = [
        sum(user_ids[other] == user_ids[row] and keys[other] > keys[row] for other in range(len(keys)))
        for row in range(len(keys))
    ]
    assert count_later(user_ids, timestamps, positions=positions).tolist() == expected


def test_windows_are_cut_from_the_newest_end_and_only_the_oldest_is_short():
    sequences, user_ids = cut_windows(USERS, ITEMS, TIMES, length=2)
    assert sequences.tolist() == [[34, 35], [32, 33], [0, 31], [0, 81]]
    assert user_ids.tolist() == [3, 3, 3, 8]


def test_windows_of_step_1_slide_from_the_newest_to_the_oldest_item():
    sequences, user_ids = cut_windows(USERS, ITEMS, TIMES, length=3, step=1)
    assert sequences.tolist() == [[33, 34, 35], [32, 33, 34], [31, 32, 33], [0, 31, 32], [0, 0, 31], [0, 0, 81]]
    assert user_ids.tolist() == [3, 3, 3, 3, 3, 8]


def test_a_step_longer_than_the_window_leaves_items_out():
    assert cut_windows(USERS, ITEMS, TIMES, length=1, step=3).sequences.tolist() == [[35], [32], [81]]


def test_windows_shorter_than_the_least_length_are_left_out():
    sequences, user_ids = cut_windows(USERS, ITEMS, TIMES, length=2, min_length=2)
    assert sequences.tolist() == [[34, 35], [32, 33]]
    assert user_ids.tolist() == [3, 3]


def test_windows_of_length_1_hold_every_item_once():
    assert cut_windows(USERS, ITEMS, TIMES, length=1).sequences.tolist() == [[35], [34], [33], [32], [31], [81]]


def test_equal_times_keep_the_order_of_rows_unless_positions_say_otherwise():
    assert cut_windows(USERS, ITEMS, TIMES).sequences[0].tolist() == [0, 0, 0, 0, 0, 31, 32, 33, 34, 35]
    backwards = np.arange(6)[::-1]
    found = cut_windows(USERS, ITEMS, TIMES, positions=backwards).sequences[0]
    assert found.tolist() == [0, 0, 0, 0, 0, 31, 32, 34, 33, 35]


def test_the_last_item_is_the_target_and_the_last_but_one_the_validation_target():
    test = leave_last_out(USERS, ITEMS, TIMES, length=3)
    assert (test.contexts.tolist(), test.targets.tolist()) == ([[32, 33, 34], [0, 0, 0]], [35, 81])
    assert test.user_ids.tolist() == [3, 8]
    validation = leave_last_out(USERS, ITEMS, TIMES, length=3, n_later=1)
    assert (validation.contexts.tolist(), validation.targets.tolist()) == ([[31, 32, 33]], [34])
    assert validation.user_ids.tolist() == [3]
    training = count_later(USERS, TIMES) > 1
    assert ITEMS[training].tolist() == [32, 33, 31]


@given(histories(), st.integers(1, 7))
def test_no_target_is_ever_in_its_own_context_nor_in_what_is_trained_on(events, length):
    user_ids, _, timestamps = events
    item_ids = np.arange(1, len(user_ids) + 1)  # each event its own item
    test = leave_last_out(user_ids, item_ids, timestamps, length=length)
    validation = leave_last_out(user_ids, item_ids, timestamps, length=length, n_later=1)
    training = item_ids[count_later(user_ids, timestamps) > 1]
    assert not set(test.targets) & {*test.contexts.ravel(), *validation.contexts.ravel(), *validation.targets}
    assert not set(validation.targets) & set(validation.contexts.ravel())
    assert not set(training) & {*test.targets, *validation.targets}
    assert len(training) + len(test.targets) + len(validation.targets) == len(item_ids)


@given(histories(), st.randoms(use_true_random=False))
def test_relabelling_users_keeps_each_users_windows(events, random):
    user_ids, item_ids, timestamps = events
    names = list(range(100, 107))
    random.shuffle(names)
    renamed = np.array(names)[user_ids + 2]
    one, other = (cut_windows(ids, item_ids, timestamps, length=3, step=2) for ids in (user_ids, renamed))
    for user in range(-2, 5):
        windows = one.sequences[one.user_ids == user]
        assert windows.tolist() == other.sequences[other.user_ids == names[user + 2]].tolist()


def test_shuffling_rows_with_their_positions_changes_nothing(rng):
    users, items, times = rng.integers(5, size=80), rng.integers(1, 9, size=80), rng.integers(4, size=80)
    shuffled = rng.permutation(80)
    expected = cut_windows(users, items, times, length=4)
    found = cut_windows(users[shuffled], items[shuffled], times[shuffled], positions=shuffled, length=4)
    assert found.sequences.tolist() == expected.sequences.tolist()
    assert found.user_ids.tolist() == expected.user_ids.tolist()


def test_windows_keep_the_types_of_the_ids():
    found = cut_windows(USERS.astype(np.int32), ITEMS.astype(np.uint8), TIMES)
    assert (found.user_ids.dtype, found.sequences.dtype) == (np.int32, np.uint8)
    assert cut_windows([1, 1], [5, 6], [0.5, 0.25]).sequences.dtype == np.int64


def test_no_interactions_give_no_windows_and_no_targets():
    sequences, user_ids = cut_windows([], [], [], length=4)
    assert (sequences.shape, user_ids.shape) == ((0, 4), (0,))
    contexts, targets, user_ids = leave_last_out([], [], [], length=4)
    assert (contexts.shape, targets.shape, user_ids.shape) == ((0, 4), (0,), (0,))
    assert count_later([], []).shape == (0,)


def test_windows_do_not_share_memory_with_the_items():
    items = np.array([1, 2, 3])
    sequences, _ = cut_windows([0, 0, 0], items, [0, 1, 2], length=2, step=1)
    sequences[0] = 9
    assert items.tolist() == [1, 2, 3]
    assert sequences.tolist() == [[9, 9], [1, 2], [0, 1]]


@pytest.mark.parametrize("cut", [cut_windows, leave_last_out])
@pytest.mark.parametrize(("item", "row"), [(0, 2), (-3, 1)])
def test_an_item_id_below_1_is_refused_by_its_number_and_row(cut, item, row):
    items = [4, 5, 6]
    items[row] = item
    with pytest.raises(ValueError, match=f"item id {item} in row {row}"):
        cut([1, 1, 1], items, [0, 1, 2])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"timestamps has the shape \(1,\), the user ids \(2,\)"):
        cut_windows([1, 1], [5, 6], [0])
    with pytest.raises(ValueError, match="item_ids has the shape"):
        leave_last_out([1, 1], [5], [0, 1])
    with pytest.raises(ValueError, match="positions has the shape"):
        count_later([1, 1], [5, 6], positions=[0])
    with pytest.raises(ValueError, match="row 1 of timestamps is missing"):
        cut_windows([1, 1], [5, 6], [0, np.nan])
    with pytest.raises(TypeError, match="item_ids are whole numbers, found an array of float64"):
        cut_windows([1, 1], [5.0, 6.0], [0, 1])
    with pytest.raises(ValueError, match="expected one dimension"):
        cut_windows([[1]], [[5]], [[0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "length is 0"),
        ({"step": 0}, "step 0"),
        ({"length": 3, "min_length": 4}, "min_length is 4, expected 1 to length=3"),
        ({"min_length": 0}, "min_length is 0"),
    ],
)
def test_windows_of_impossible_sizes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cut_windows(USERS, ITEMS, TIMES, **options)


def test_a_context_of_no_length_and_a_negative_place_are_refused():
    with pytest.raises(ValueError, match="length is 0"):
        leave_last_out(USERS, ITEMS, TIMES, length=0)
    with pytest.raises(ValueError, match="n_later -1"):
        leave_last_out(USERS, ITEMS, TIMES, n_later=-1)


@pytest.mark.realdata
def test_on_ml_100k_targets_are_the_test_rows_of_leave_one_out_and_windows_hold_every_rating_once():
    from course_utils import movielens

    ratings = movielens.load("ml-100k").ratings
    columns = [ratings[name].to_numpy() for name in ("user_id", "item_id", "timestamp")]
    positions = ratings["position"].to_numpy()
    _, test = splits.leave_one_out(ratings)
    found = leave_last_out(*columns, positions=positions)
    assert found.targets.tolist() == test.sort_values("user_id")["item_id"].tolist()
    sequences, user_ids = cut_windows(*columns, positions=positions)
    assert len(sequences) == sum(-(-n // 10) for n in ratings["user_id"].value_counts())
    row, column = np.nonzero(sequences)
    pairs = zip(user_ids[row].tolist(), sequences[row, column].tolist(), strict=True)
    assert sorted(pairs) == sorted(zip(columns[0].tolist(), columns[1].tolist(), strict=True))


@pytest.mark.spotlight
def test_windows_are_the_originals(rng):
    from spotlight.interactions import Interactions

    for _ in range(50):
        n, length = rng.integers(1, 200), int(rng.integers(1, 12))
        users, items, times = (rng.integers(low, 20, n).astype(np.int32) for low in (0, 1, 0))
        step, min_length = int(rng.integers(1, 15)), int(rng.integers(1, length + 1))
        theirs = Interactions(users, items, timestamps=times).to_sequence(length, min_length, step)
        ours = cut_windows(users, items, times, length=length, step=step, min_length=min_length)
        assert theirs.sequences.tolist() == ours.sequences.tolist()
        assert theirs.user_ids.tolist() == ours.user_ids.tolist()
