from functools import partial

import numpy as np
import pandas as pd
import pytest

from course_utils import splits


def table(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    """(user, timestamp, position) -> a table of ratings; film 100 + position shows whether a row stayed whole."""
    user_ids, timestamps, positions = (np.array(column) for column in zip(*rows, strict=True))
    return pd.DataFrame(
        {
            "user_id": user_ids.astype(np.int32),
            "item_id": (100 + positions).astype(np.int32),
            "rating": np.float32(3.0),
            "timestamp": timestamps.astype(np.int64),
            "position": positions.astype(np.int64),
        }
    )


@pytest.fixture
def ratings(rng) -> pd.DataFrame:
    """600 rows of 30 users within 40 seconds: every second is shared by about 15 rows."""
    return table([(rng.integers(1, 31), rng.integers(40), position) for position in range(600)])


# Each split as a function of the table alone, with its own fresh generator where it draws.
SPLITS = {
    "random_split": lambda ratings: splits.random_split(ratings, 0.25, rng=np.random.default_rng(5)),
    "time_split": lambda ratings: splits.time_split(ratings, 0.25),
    "leave_one_out": splits.leave_one_out,
    "user_split": lambda ratings: splits.user_split(ratings, 0.25, rng=np.random.default_rng(5)),
}
DROPPING = {
    "leave_one_out, rows dropped": lambda ratings: splits.leave_one_out(
        ratings, max_dropped=6, rng=np.random.default_rng(5)
    )
}
complete_split = pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
every_split = pytest.mark.parametrize("split", (SPLITS | DROPPING).values(), ids=SPLITS | DROPPING)


@complete_split
def test_train_and_test_hold_every_row_once_and_in_order_of_position(split, ratings):
    train, test = split(ratings)
    assert sorted([*train["position"], *test["position"]]) == list(range(600))
    for part in (train, test):
        assert part["position"].is_monotonic_increasing
        assert part.index.equals(pd.RangeIndex(len(part)))
        assert part.dtypes.equals(ratings.dtypes)
        assert (part["item_id"] == 100 + part["position"]).all()  # rows stayed whole
        assert len(part) > 0


@every_split
def test_shuffling_the_rows_changes_no_split(split, ratings, rng):
    expected = split(ratings)
    for _ in range(5):
        found = split(ratings.iloc[rng.permutation(len(ratings))])
        pd.testing.assert_frame_equal(found[0], expected[0])
        pd.testing.assert_frame_equal(found[1], expected[1])


def with_another_sort(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Makes NumPy sort another way, where no stable order is asked for; "reversed" turns every tie round."""
    original = np.argsort

    def argsort(keys, axis=-1, kind=None, **rest):
        if kind == "stable":
            # A stable result from an unstable algorithm: sort the pairs (key, row), which have no ties.
            return np.array(sorted(range(len(keys)), key=lambda row: (keys[row], row)), dtype=np.int64)
        if name == "reversed":
            return len(keys) - 1 - original(np.asarray(keys)[::-1], kind="stable")
        return original(keys, axis=axis, kind=name)

    monkeypatch.setattr(np, "argsort", argsort)


@every_split
@pytest.mark.parametrize("algorithm", ["quicksort", "heapsort", "mergesort", "reversed"])
def test_the_sort_algorithm_changes_no_split(split, algorithm, ratings, rng, monkeypatch):
    expected = split(ratings)
    shuffled = ratings.iloc[rng.permutation(len(ratings))]
    with_another_sort(monkeypatch, algorithm)
    found = split(shuffled)
    assert found[0].to_numpy().tolist() == expected[0].to_numpy().tolist()
    assert found[1].to_numpy().tolist() == expected[1].to_numpy().tolist()


def later(one: tuple, other: tuple) -> bool:
    """The tie rule in so many words: (user, film, stars, time, position) of two rows."""
    return one[3] > other[3] or (one[3] == other[3] and one[4] > other[4])


def test_leave_one_out_agrees_with_a_slow_search_for_each_users_latest_row(ratings):
    latest = {}
    for row in ratings.sample(frac=1, random_state=0).itertuples(index=False):
        if row.user_id not in latest or later(row, latest[row.user_id]):
            latest[row.user_id] = row
    _, test = splits.leave_one_out(ratings)
    assert list(test["position"]) == sorted(row.position for row in latest.values())


def test_time_split_agrees_with_taking_the_latest_row_away_again_and_again(ratings):
    rest, taken = list(ratings.itertuples(index=False)), []
    for _ in range(150):
        newest = rest[0]
        for row in rest:
            newest = row if later(row, newest) else newest
        rest.remove(newest)
        taken.append(newest.position)
    _, test = splits.time_split(ratings, 0.25)
    assert list(test["position"]) == sorted(taken)


def test_of_two_ratings_in_one_second_the_larger_position_is_the_later():
    ratings = table([(1, 50, 2), (1, 50, 0), (1, 40, 1)])
    assert splits.in_time_order(ratings)["position"].tolist() == [1, 0, 2]
    assert splits.leave_one_out(ratings)[1]["position"].tolist() == [2]
    assert splits.time_split(ratings, 0.4)[1]["position"].tolist() == [2]


def test_position_never_outweighs_time():
    ratings = table([(1, 10, 9), (1, 20, 0)])
    assert splits.in_time_order(ratings)["position"].tolist() == [9, 0]
    assert splits.leave_one_out(ratings)[1]["position"].tolist() == [0]


def test_a_user_with_one_rating_is_in_the_leave_one_out_test_only():
    train, test = splits.leave_one_out(table([(1, 10, 0), (2, 11, 1), (1, 12, 2)]))
    assert test["user_id"].tolist() == [2, 1]
    assert train["user_id"].tolist() == [1]


def test_dropping_takes_the_latest_rows_of_each_user_before_one_is_left_out(ratings):
    train, test = splits.leave_one_out(ratings, max_dropped=6, rng=np.random.default_rng(1))
    assert test["user_id"].nunique() == ratings["user_id"].nunique() == len(test)
    n_dropped = {}
    for user, rows in splits.in_time_order(ratings).groupby("user_id"):
        in_order = rows["position"].tolist()
        last = in_order.index(test.loc[test["user_id"] == user, "position"].item())
        assert sorted(in_order[:last]) == train.loc[train["user_id"] == user, "position"].tolist()
        n_dropped[user] = len(in_order) - 1 - last
    assert set(n_dropped.values()) == set(range(7))  # 30 users: each number of 0 to 6 occurs


def test_each_number_of_dropped_rows_is_as_likely():
    users = np.repeat(np.arange(3_000), 5)
    ratings = table(list(zip(users, range(15_000), range(15_000), strict=True)))
    _, test = splits.leave_one_out(ratings, max_dropped=2, rng=np.random.default_rng(2))
    counts = np.bincount(4 - test["position"] % 5, minlength=5)
    assert counts[3:].sum() == 0
    assert abs(counts[:3] - 1_000).max() < 100  # the standard deviation is 26


def test_a_user_keeps_two_rows_however_many_may_be_dropped():
    rows = [(1, 10, 0), (2, 11, 1), (2, 12, 2), (3, 13, 3), (3, 14, 4), (3, 15, 5)]
    ends = set()
    for seed in range(20):
        train, test = splits.leave_one_out(table(rows), max_dropped=100, rng=np.random.default_rng(seed))
        assert test["user_id"].tolist() == [1, 2, 3]
        assert test["position"].tolist()[:2] == [0, 2]
        ends.add((test["position"].tolist()[2], tuple(train["position"])))
    assert ends == {(5, (1, 3, 4)), (4, (1, 3))}  # all of user 3, or all but the last


def test_a_fresh_state_of_the_generator_drops_other_rows_and_the_same_state_the_same(ratings):
    rng, same = np.random.default_rng(4), np.random.default_rng(4)
    first, second = (splits.leave_one_out(ratings, max_dropped=6, rng=rng)[1]["position"].tolist() for _ in range(2))
    assert first != second
    assert splits.leave_one_out(ratings, max_dropped=6, rng=same)[1]["position"].tolist() == first


def test_dropping_none_draws_nothing_and_changes_nothing(ratings, rng):
    before = rng.bit_generator.state
    for one, other in zip(splits.leave_one_out(ratings), splits.leave_one_out(ratings, rng=rng), strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert rng.bit_generator.state == before


def test_dropping_without_a_generator_or_fewer_than_none_is_refused(ratings, rng):
    with pytest.raises(ValueError, match="max_dropped=3 needs a generator"):
        splits.leave_one_out(ratings, max_dropped=3)
    with pytest.raises(ValueError, match="max_dropped is -1"):
        splits.leave_one_out(ratings, max_dropped=-1, rng=rng)


def test_no_training_row_of_a_time_split_is_later_than_a_test_row(ratings):
    train, test = splits.time_split(ratings)
    last, first = splits.in_time_order(train).iloc[-1], splits.in_time_order(test).iloc[0]
    assert (last["timestamp"], last["position"]) < (first["timestamp"], first["position"])


def test_user_split_never_divides_a_user(ratings):
    train, test = splits.user_split(ratings, 0.2, rng=np.random.default_rng(1))
    assert not set(train["user_id"]) & set(test["user_id"])
    assert test["user_id"].nunique() == 6  # of 30


def test_user_split_draws_users_of_string_ids_alike(ratings):
    numbers = splits.user_split(ratings, rng=np.random.default_rng(1))[1]
    named = ratings.assign(user_id=[f"user {n}" for n in ratings["user_id"]])
    names = splits.user_split(named, rng=np.random.default_rng(1))[1]
    assert names["position"].tolist() == numbers["position"].tolist()


@pytest.mark.parametrize(("n", "fraction", "expected"), [(600, 0.2, 120), (10, 0.25, 2), (7, 0.5, 4), (1, 0.2, 0)])
@pytest.mark.parametrize("split", [splits.time_split, partial(splits.random_split, rng=np.random.default_rng(0))])
def test_the_size_of_the_test_set_is_the_rounded_share(split, n, fraction, expected):
    train, test = split(table([(1, 5, position) for position in range(n)]), fraction)
    assert (len(train), len(test)) == (n - expected, expected)


def test_another_seed_draws_another_random_split_and_the_same_seed_the_same(ratings):
    one, same, other = (splits.random_split(ratings, rng=np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    assert one["position"].tolist() == same["position"].tolist()
    assert one["position"].tolist() != other["position"].tolist()


def test_a_random_split_is_spread_over_the_whole_file(ratings):
    _, test = splits.random_split(ratings, 0.5, rng=np.random.default_rng(3))
    in_first_half = (test["position"] < 300).sum()
    assert 110 < in_first_half < 190  # 150 expected, standard deviation 6


def test_gaps_in_positions_and_an_odd_index_do_no_harm():
    ratings = table([(1, 5, 70), (2, 5, 3), (1, 5, 11)])
    ratings.index = ["x", "x", "y"]
    train, test = splits.leave_one_out(ratings)
    assert test["position"].tolist() == [3, 70]
    assert train["position"].tolist() == [11]


@every_split
def test_no_rows_split_into_no_rows(split, ratings):
    train, test = split(ratings.iloc[:0])
    assert (len(train), len(test)) == (0, 0)
    assert list(train.columns) == list(ratings.columns)


@every_split
def test_a_split_leaves_the_table_as_it_was(split, ratings):
    before = ratings.copy()
    train, test = split(ratings)
    train["rating"], test["rating"] = 0.0, 0.0
    pd.testing.assert_frame_equal(ratings, before)


@every_split
def test_a_position_that_occurs_twice_is_refused_by_its_number(split):
    with pytest.raises(ValueError, match="position 4 occurs twice"):
        split(table([(1, 5, 4), (2, 6, 1), (3, 7, 4)]))


@every_split
def test_a_negative_position_is_refused_by_its_number(split):
    with pytest.raises(ValueError, match="position -2 is negative"):
        split(table([(1, 5, 0), (2, 6, -2)]))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, 20, float("nan")])
@pytest.mark.parametrize(
    "split",
    [
        splits.time_split,
        partial(splits.random_split, rng=np.random.default_rng(0)),
        partial(splits.user_split, rng=np.random.default_rng(0)),
    ],
)
def test_a_test_fraction_outside_0_to_1_is_refused_by_its_number(split, fraction, ratings):
    with pytest.raises(ValueError, match=f"test_fraction is {fraction}"):
        split(ratings, fraction)


@pytest.mark.parametrize(
    ("split", "column"),
    [
        ("random_split", "position"),
        ("time_split", "timestamp"),
        ("leave_one_out", "user_id"),
        ("leave_one_out", "timestamp"),
        ("user_split", "user_id"),
    ],
)
def test_a_missing_column_is_named(split, column, ratings):
    with pytest.raises(ValueError, match=f"lack the column {column}"):
        SPLITS[split](ratings.drop(columns=column))


@pytest.mark.realdata
def test_half_of_all_consecutive_ml_100k_events_of_a_user_share_their_second():
    from course_utils import movielens

    in_order = splits.in_time_order(movielens.load("ml-100k").ratings)
    gaps = in_order.groupby("user_id")["timestamp"].diff().dropna()
    assert 0.45 < (gaps == 0).mean() < 0.55


@pytest.mark.realdata
def test_on_ml_100k_the_held_out_rating_of_every_user_is_at_their_latest_second(rng):
    from course_utils import movielens

    ratings = movielens.load("ml-100k").ratings
    train, test = splits.leave_one_out(ratings.iloc[rng.permutation(len(ratings))])
    assert (len(train), len(test)) == (99_057, 943)
    latest = ratings.groupby("user_id")["timestamp"].max()
    assert (test.set_index("user_id")["timestamp"].sort_index() == latest).all()
