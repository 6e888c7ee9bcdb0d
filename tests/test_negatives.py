from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from course_utils import negatives
from course_utils.negatives import SeenItems, sample_distinct_negatives, sample_negatives

both = pytest.mark.parametrize("sample", [sample_negatives, sample_distinct_negatives])
# With no rounds every draw is from the list of unseen items, with one about half are, with twelve hardly any.
every_route = pytest.mark.parametrize("rounds", [0, 1, 12])

SEEN_BY_HAND = {0: [], 1: [0, 1, 2, 3], 2: [5], 3: [0, 2, 4, 6], 4: [0, 1, 2, 4, 5, 6]}  # of items 0 to 6


@pytest.fixture
def seen() -> SeenItems:
    return seen_by({user: items for user, items in SEEN_BY_HAND.items()}, n_items=7)


def seen_by(items_of: dict[int, list[int]], n_items: int) -> SeenItems:
    users = [user for user, items in items_of.items() for _ in items]
    items = [item for items in items_of.values() for item in items]
    return SeenItems(users, items, n_users=max(items_of) + 1, n_items=n_items)


def crowd(rng: np.random.Generator) -> SeenItems:
    """40 users and 60 items; users have met none to nearly all, popular items more often."""
    share = np.linspace(0, 0.95, 40)[:, None] * np.linspace(1, 0.9, 60)
    return SeenItems(*np.nonzero(rng.random((40, 60)) < share), n_users=40, n_items=60)


def p_value(user_ids: np.ndarray, drawn: np.ndarray, seen: SeenItems, weights: np.ndarray) -> float:
    """Of the hypothesis that each user's negatives are drawn by weight among the unseen, over all users at once."""
    counts, expected = [], []
    for user in np.unique(user_ids):
        unseen = seen.unseen_items(user)
        found = np.bincount(drawn[user_ids == user].ravel(), minlength=seen.n_items)
        assert found.sum() == found[unseen].sum()
        counts.append(found[unseen])
        expected.append(found.sum() * weights[unseen] / weights[unseen].sum())
    # Each user's total is given, and one total is the test's own.
    return chisquare(np.concatenate(counts), np.concatenate(expected), ddof=len(counts) - 1).pvalue


@st.composite
def worlds(draw):
    n_users, n_items = draw(st.integers(1, 5)), draw(st.integers(1, 140))
    pairs = st.tuples(st.integers(0, n_users - 1), st.integers(0, n_items - 1))
    return n_users, n_items, draw(st.lists(pairs, max_size=60))


@given(worlds())
def test_seen_items_know_exactly_the_pairs_they_were_given(world):
    n_users, n_items, pairs = world
    seen = SeenItems([user for user, _ in pairs], [item for _, item in pairs], n_users, n_items)
    grid = seen.contains(np.arange(n_users)[:, None], np.arange(n_items))
    assert {(user, item) for user, item in np.argwhere(grid).tolist()} == set(pairs)
    assert seen.n_unseen.tolist() == (~grid).sum(axis=1).tolist()
    assert seen.count_unseen(np.arange(n_items) % 3 == 0).tolist() == (~grid[:, ::3]).sum(axis=1).tolist()
    for user in range(n_users):
        assert seen.unseen_items(user).tolist() == np.flatnonzero(~grid[user]).tolist()


@given(worlds(), st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_no_negative_was_seen_and_none_repeats_where_none_may(world, n_negatives, seed):
    n_users, n_items, pairs = world
    seen = SeenItems([user for user, _ in pairs], [item for _, item in pairs], n_users, n_items)
    rng = np.random.default_rng(seed)
    for sample, needed in ((sample_negatives, 1), (sample_distinct_negatives, n_negatives)):
        users = rng.permutation(np.repeat(np.flatnonzero(seen.n_unseen >= needed), 2))
        drawn = sample(users, seen, n_negatives, rng)
        assert drawn.shape == (len(users), n_negatives)
        assert drawn.dtype == np.int64
        assert not seen.contains(users[:, None], drawn).any()
        assert ((drawn >= 0) & (drawn < n_items)).all()
    assert all(len(set(row)) == n_negatives for row in drawn.tolist())


def test_ids_of_a_small_type_find_the_right_bit():
    seen = SeenItems(np.array([200], np.uint8), np.array([250], np.uint8), n_users=201, n_items=30_000)
    assert seen.contains(np.uint8(200), np.uint8(250))
    assert seen.n_unseen.sum() == 201 * 30_000 - 1
    assert seen.unseen_items(200)[249:251].tolist() == [249, 251]


@every_route
@both
def test_negatives_are_even_over_each_users_unseen_items(sample, rounds, rng, monkeypatch):
    monkeypatch.setattr(negatives, "MAX_ROUNDS", rounds)
    seen = crowd(rng)
    users = np.repeat(np.flatnonzero(seen.n_unseen > 2), 300)
    drawn = sample(users, seen, 1, rng)
    assert p_value(users, drawn, seen, np.ones(60)) > 0.001


@every_route
@both
def test_negatives_follow_popularity_among_each_users_unseen_items(sample, rounds, rng, monkeypatch):
    monkeypatch.setattr(negatives, "MAX_ROUNDS", rounds)
    seen = crowd(rng)
    popularity = np.linspace(1, 20, 60)
    users = np.repeat(np.flatnonzero(seen.n_unseen > 2), 300)
    drawn = sample(users, seen, 1, rng, popularity=popularity)
    assert p_value(users, drawn, seen, popularity) > 0.001
    assert p_value(users, drawn, seen, np.ones(60)) < 1e-9


def test_a_sampler_that_steps_to_the_next_unseen_item_fails_the_same_test_of_evenness(rng):
    seen = crowd(rng)
    users = np.repeat(np.flatnonzero(seen.n_unseen > 2), 300)
    drawn = rng.integers(60, size=len(users))
    while (rejected := seen.contains(users, drawn)).any():
        drawn[rejected] = (drawn[rejected] + 1) % 60
    assert p_value(users, drawn, seen, np.ones(60)) < 1e-9


def set_probabilities(weights: np.ndarray, size: int) -> dict[tuple[int, ...], float]:
    """How likely each set of items is, where items are drawn one by one by the weights of those that are left."""

    def in_this_order(items: tuple[int, ...]) -> float:
        left, probability = weights.sum(), 1.0
        for item in items:
            probability *= weights[item] / left
            left -= weights[item]
        return probability

    items = np.flatnonzero(weights)
    return {one: sum(in_this_order(order) for order in permutations(one)) for one in combinations(items, size)}


@every_route
@pytest.mark.parametrize("popularity", [None, np.array([1.0, 1, 8, 2, 9, 4, 3])], ids=["evenly", "by popularity"])
def test_every_set_of_distinct_negatives_is_as_likely_as_drawing_one_by_one_makes_it(
    popularity, rounds, seen, rng, monkeypatch
):
    monkeypatch.setattr(negatives, "MAX_ROUNDS", rounds)
    weights = np.ones(7) if popularity is None else popularity.copy()
    weights[SEEN_BY_HAND[2]] = 0  # six items are left, of which three are drawn: 20 sets
    drawn = sample_distinct_negatives(np.full(6_000, 2), seen, 3, rng, popularity=popularity)
    expected = set_probabilities(weights, 3)
    found = dict.fromkeys(expected, 0)
    for row in np.sort(drawn, axis=1).tolist():
        found[tuple(row)] += 1
    assert sum(expected.values()) == pytest.approx(1)
    assert chisquare(list(found.values()), [6_000 * share for share in expected.values()]).pvalue > 0.001


def test_distinct_negatives_are_as_likely_in_every_column(seen, rng):
    drawn = sample_distinct_negatives(np.full(20_000, 1), seen, 3, rng)  # all of items 4, 5, 6, in any order
    orders, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(orders) == 6
    assert chisquare(counts).pvalue > 0.001


def test_all_that_is_left_is_drawn_where_as_many_distinct_negatives_are_wanted(seen, rng):
    drawn = sample_distinct_negatives([1, 3, 1], seen, 3, rng)
    assert np.sort(drawn, axis=1).tolist() == [[4, 5, 6], [1, 3, 5], [4, 5, 6]]


@both
def test_one_unseen_item_of_10_000_is_found_without_endless_rounds(sample, rng, monkeypatch):
    calls = []
    lookup = SeenItems._lookup
    monkeypatch.setattr(SeenItems, "_lookup", lambda *arguments: calls.append(1) or lookup(*arguments))
    items = np.delete(np.arange(10_000), 4_321)
    seen = SeenItems(np.zeros(9_999, dtype=int), items, n_users=1, n_items=10_000)
    assert (sample(np.zeros(500, dtype=int), seen, 1, rng) == 4_321).all()
    assert len(calls) <= negatives.MAX_ROUNDS


@both
def test_one_generator_draws_afresh_at_each_call_and_the_same_again_from_the_same_state(sample, rng):
    seen = crowd(rng)
    users = np.arange(20)
    for popularity in (None, np.arange(60)):
        rng, same = np.random.default_rng(3), np.random.default_rng(3)
        first, second = (sample(users, seen, 5, rng, popularity=popularity) for _ in range(2))
        assert (first != second).any()
        assert (first == sample(users, seen, 5, same, popularity=popularity)).all()
        assert (second == sample(users, seen, 5, same, popularity=popularity)).all()


@both
def test_many_rows_are_drawn_as_well_as_few(sample, rng, monkeypatch):
    monkeypatch.setattr(negatives, "CHUNK", 64)  # 20 rows at a time, the last of them short
    seen = crowd(rng)
    users = np.repeat(np.flatnonzero(seen.n_unseen > 5), 211)
    drawn = sample(users, seen, 3, rng, popularity=np.r_[0, np.ones(59)])
    assert p_value(users, drawn[:, 0], seen, np.r_[1e-300, np.ones(59)]) > 0.001
    assert drawn.min() == 1


@both
def test_an_item_of_popularity_0_is_never_drawn(sample, seen, rng):
    drawn = sample(np.full(200, 2), seen, 4, rng, popularity=[0, 1, 1, 1, 5, 1, 0.0])  # item 5 was seen
    assert set(drawn.ravel()) == {1, 2, 3, 4}


@both
def test_no_users_and_no_negatives_give_empty_arrays(sample, rng):
    seen = SeenItems([], [], n_users=3, n_items=4)
    assert seen.n_unseen.tolist() == [4, 4, 4]
    assert sample([], seen, 5, rng).shape == (0, 5)
    assert sample([0, 2], seen, 0, rng).shape == (2, 0)
    assert SeenItems([], [], n_users=0, n_items=0).n_unseen.shape == (0,)


@both
def test_a_user_who_has_met_everything_is_named(sample, rng):
    seen = seen_by({0: [1], 1: [], 2: [0, 1, 2]}, n_items=3)
    with pytest.raises(ValueError, match="user 2 has 0 unseen items, a negative needs one"):
        sample([0, 2, 1], seen, 1, rng)
    assert sample([2], seen, 0, rng).shape == (1, 0)  # nothing was asked for


def test_a_user_with_fewer_unseen_items_than_distinct_negatives_is_named(seen, rng):
    with pytest.raises(ValueError, match="user 1 has 3 unseen items, 4 different negatives were asked for"):
        sample_distinct_negatives([0, 1, 3], seen, 4, rng)
    assert sample_negatives([0, 1, 3], seen, 4, rng).shape == (3, 4)


@both
def test_a_user_whose_unseen_items_all_weigh_nothing_is_named(sample, seen, rng):
    with pytest.raises(ValueError, match="user 1 has 0 unseen items of popularity above 0"):
        sample([2, 1], seen, 1, rng, popularity=[1, 1, 1, 1, 0, 0, 0])


@both
@pytest.mark.parametrize(
    ("popularity", "message"),
    [
        ([1, 1], r"shape \(2,\), expected \(7,\)"),
        ([1, 1, 1, -2, 1, 1, 1], r"popularity of item 3 is -2\.0"),
        ([1, 1, np.nan, 1, 1, 1, 1], "popularity of item 2 is nan"),
        ([1, np.inf, 1, 1, 1, 1, 1], "popularity of item 1 is inf"),
    ],
)
def test_weights_that_are_none_are_refused(sample, popularity, message, seen, rng):
    with pytest.raises(ValueError, match=message):
        sample([0], seen, 1, rng, popularity=popularity)


@both
def test_ids_and_counts_that_do_not_fit_are_refused_by_their_number(sample, seen, rng):
    with pytest.raises(ValueError, match="user id 5 does not fit n_users=5"):
        sample([0, 5], seen, 1, rng)
    with pytest.raises(ValueError, match="user id -1 does not fit"):
        sample([-1], seen, 1, rng)
    with pytest.raises(ValueError, match="n_negatives is -1"):
        sample([0], seen, -1, rng)
    with pytest.raises(ValueError, match=r"shape \(1, 1\), expected one dimension"):
        sample([[0]], seen, 1, rng)
    with pytest.raises(TypeError, match="user ids are whole numbers, found an array of float64"):
        sample([0.0], seen, 1, rng)


def test_seen_items_refuse_ids_that_do_not_fit(seen):
    with pytest.raises(ValueError, match="item id 7 does not fit n_items=7"):
        SeenItems([0], [7], n_users=1, n_items=7)
    with pytest.raises(ValueError, match="user id -2 does not fit n_users=1"):
        SeenItems([-2], [0], n_users=1, n_items=7)
    with pytest.raises(ValueError, match=r"\(2,\) user ids and \(1,\) item ids"):
        SeenItems([0, 0], [0], n_users=1, n_items=7)
    with pytest.raises(ValueError, match="item id 7 does not fit"):
        seen.contains(0, 7)
    with pytest.raises(ValueError, match="user id 5 does not fit"):
        seen.unseen_items(5)
