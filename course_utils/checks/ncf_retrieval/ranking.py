"""Lesson 02: where the held-back items stand, among sampled items and in the whole catalogue."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect, expect_array, expect_close, format_value
from course_utils.checks.framework import World, check
from course_utils.checks.ncf_retrieval.worlds import encoded, met, rank_of, recognise

MOST_PAIRS = 1_000_000


def ranking_world(rng: np.random.Generator) -> World:
    """Who met what in training, one test item for most users, in no order, and scores with ties.

    There are many more items than users, so that swapped ids fail, and the users' own items score high.
    """
    n_users, n_items = int(rng.integers(22, 27)), int(rng.integers(70, 80))
    seen = met(rng, n_users, n_items, 0.35)
    train_users, train_items = np.nonzero(seen)
    order = rng.permutation(len(train_users))
    test_users = rng.permutation(n_users)[: n_users - 2]
    test_items = np.array([rng.choice(np.flatnonzero(~seen[user])) for user in test_users])
    table = np.round(rng.normal(0, 1.5, (n_users, n_items)) + 0.8 * seen, 0).astype(np.float32)
    public = {
        "train_user_ids": train_users[order],
        "train_item_ids": train_items[order],
        "test_user_ids": test_users,
        "test_item_ids": test_items,
        "n_users": n_users,
        "n_items": n_items,
        "table": table,
        "n_negatives": 19,
    }
    return World(public=public)


def parts(world) -> tuple:
    sizes = world.n_users, world.n_items
    return (
        encoded(world.train_user_ids, world.train_item_ids, *sizes),
        encoded(world.test_user_ids, world.test_item_ids, *sizes),
    )


def seen_items(world) -> np.ndarray:
    """(n_users, n_items) bool, who met what in training."""
    seen = np.zeros((world.n_users, world.n_items), dtype=bool)
    seen[world.train_user_ids, world.train_item_ids] = True
    return seen


SWAPPED = "predict takes the user ids first, then the item ids, as many of each: are they swapped?"


@check(
    points=2,
    call="sampled_ranks(predict, train, test, n_negatives, rng)",
    world=ranking_world,
    hints={"IndexError": SWAPPED, "ValueError": SWAPPED},
)
def sampled_ranks(sampled_ranks, world):
    """The rank of each test item among different items that its user has in neither part."""
    import torch

    asked = []

    def predict(user_ids, item_ids):
        users, items = (np.atleast_1d(np.asarray(ids)) for ids in (user_ids, item_ids))
        if users.shape != items.shape or users.ndim != 1:
            raise ValueError(f"predict got {users.shape} user ids and {items.shape} item ids, expected as many of each")
        scores = world.table[users, items]
        if sum(map(len, asked)) < MOST_PAIRS:
            asked.append(np.column_stack([users, items]))
        return torch.as_tensor(scores) if isinstance(user_ids, torch.Tensor) else scores

    train, test = parts(world)
    rng = np.random.default_rng(5)
    seen = {"ranks": sampled_ranks(predict, train, test, world.n_negatives, rng)}
    seen["pairs"] = np.concatenate(asked) if asked else None
    asked.clear()
    sampled_ranks(predict, train, test, world.n_negatives, rng)
    seen["pairs_second"] = np.concatenate(asked) if asked else None
    return seen


@sampled_ranks.judge
def _(seen, world):
    n, k = len(world.test_user_ids), world.n_negatives
    call = "sampled_ranks(predict, train, test, n_negatives, rng), noting the pairs that predict is asked for"
    for case in ("pairs", "pairs_second"):
        slip = "Score the candidates of the users with the function predict that is passed in."
        yield expect_array(seen[case], shape=(None, 2), kind="iu", call=call, slip=slip)
    pairs = np.asarray(seen["pairs"])
    of_train = set(zip(world.train_user_ids.tolist(), world.train_item_ids.tolist(), strict=True))
    of_test = set(zip(world.test_user_ids.tolist(), world.test_item_ids.tolist(), strict=True))
    asked = [tuple(pair) for pair in pairs.tolist()]
    slip = "The targets are the test items: how well a model knows what it was trained on says nothing."
    if not of_test & set(asked):
        yield expect(
            False,
            call=call,
            came_back=f"none of the {n} test items; {sum(pair in of_train for pair in asked)} training pairs",
            expected=f"each of the {n} test items, and {k} others for its user",
            slip=slip,
        )
    missing = of_test - set(asked)
    yield expect(
        not missing,
        call=call,
        came_back=f"{len(missing)} of {n} test items were never scored",
        expected="every test item",
        slip="The test item itself is the first of the candidates: n_negatives + 1 in all.",
    )
    inside = [pair for pair in asked if pair in of_train]
    slip = "Negatives that the user has met in training: leave out train's items as well, not the test item alone."
    n_ranks = getattr(seen["ranks"], "shape", (0,))[:1]
    if n_ranks == (len(of_train),) or n_ranks == (len(of_train) + n,):
        slip = "The targets are the test items alone: hits on training items are no achievement."
    yield expect(
        not inside,
        call=call,
        came_back=f"{len(inside)} candidates that their user has in train",
        expected="items that the user has in neither part",
        slip=slip,
    )
    users, counts = np.unique(pairs[:, 0], return_counts=True)
    different = np.array([len(set(pairs[pairs[:, 0] == user, 1].tolist())) for user in users])
    repeats = int((counts - different).sum())
    slip = "Negatives repeat within a user, so the list is shorter than it looks: draw without replacement."
    own = sum(asked.count(pair) > 1 for pair in of_test)
    if own and repeats <= own:
        slip = "The test item is among its own negatives: leave it out of the draw."
    yield expect(
        repeats == 0,
        call=call,
        came_back=f"{repeats} candidates that stand twice in the list of their user",
        expected=f"{k + 1} different ones: the target and {k} others",
        slip=slip,
    )
    slip = f"{k} negatives and the target: {k + 1} candidates for each test user."
    if counts.size and (counts == k).all():
        slip = "The target is one of the candidates, but it is no negative: n_negatives others beside it."
    elif different.mean() > 0.5 * world.n_items:
        slip += " Score no more than that: the rest of the catalogue does not compete here."
    yield expect(
        (counts == k + 1).all() and len(users) == n,
        call=call,
        came_back=f"{counts.min()} to {counts.max()} candidates for {len(users)} users",
        expected=f"{k + 1} for each of {n} users",
        slip=slip,
    )
    ranks = []
    for user, item in zip(world.test_user_ids.tolist(), world.test_item_ids.tolist(), strict=True):
        own = pairs[pairs[:, 0] == user, 1]
        ranks.append(rank_of(world.table[user, item], world.table[user, own[own != item]]))
    ranks = np.array(ranks)
    slips = rank_slips(ranks, pairs, world, k + 1)
    otherwise = "The rank of the test item among its candidates, one for each row of test, in their order."
    slip = recognise(seen["ranks"], slips, otherwise)
    yield expect_close(seen["ranks"], ranks, call="sampled_ranks(predict, train, test, n_negatives, rng)", slip=slip)
    again = {tuple(pair) for pair in np.asarray(seen["pairs_second"]).tolist()}
    yield expect(
        len(again) == n * (k + 1) and again != set(asked),
        call="sampled_ranks(...) a second time, with the same rng",
        came_back="the same candidates" if again == set(asked) else f"{len(again)} candidates",
        expected=f"{n * (k + 1)} candidates, freshly drawn",
        slip="Draw from rng in every call, and keep no list of negatives from one call to the next.",
        saw=f"{n} test items, each among {k} different items that its user has in neither part; ties averaged.",
    )


def rank_slips(ranks: np.ndarray, pairs: np.ndarray, world, n_candidates: int) -> dict[str, np.ndarray]:
    """What the usual mistakes give where the candidates are right."""
    best, worst, by_user = [], [], {}
    for user, item, rank in zip(world.test_user_ids.tolist(), world.test_item_ids.tolist(), ranks, strict=True):
        scores = world.table[user, pairs[pairs[:, 0] == user, 1]]
        target = world.table[user, item]
        best.append(1 + (scores > target).sum())
        worst.append((scores >= target).sum())
        by_user[user] = rank
    return {
        "Ranks start at 1.": ranks - 1,
        "Ties share their average rank: yours get the best of their places.": np.array(best, dtype=float),
        "Ties share their average rank: yours get the worst of their places.": np.array(worst, dtype=float),
        "A higher score is better: your list is upside down.": n_candidates + 1 - ranks,
        "Ranks in the order of test's rows, not of the user ids.": np.array(
            [by_user[user] for user in sorted(by_user)]
        ),
    }


@check(
    points=2,
    call="catalogue_ranks(score_users, train, test)",
    world=ranking_world,
    hints={
        "IndexError": "score_users takes user ids, and row b of what it returns belongs to the b-th of them.",
        "ValueError": "Row b of the scores belongs to test.user_ids[b]: take the same rows of a mask over all users.",
    },
)
def catalogue_ranks(catalogue_ranks, world):
    """The rank of each test item among all items that its user has not met in training."""
    asked = []

    def score_users(user_ids):
        user_ids = np.atleast_1d(np.asarray(user_ids))
        if user_ids.max(initial=0) >= world.n_users:
            raise IndexError(f"score_users takes user ids below {world.n_users}, got {user_ids.max()}")
        asked.append(len(user_ids))
        return world.table[user_ids].copy()

    return {"ranks": catalogue_ranks(score_users, *parts(world)), "asked": sum(asked)}


@catalogue_ranks.judge
def _(seen, world):
    yield expect(
        int(seen["asked"]) > 0,
        came_back="no call of score_users",
        expected="the scores of the test users",
        slip="score_users(user_ids) gives all scores of these users, (B, n_items).",
    )
    kept, unseen = ~seen_items(world), np.ones((world.n_users, world.n_items), dtype=bool)
    pairs = list(zip(world.test_user_ids.tolist(), world.test_item_ids.tolist(), strict=True))

    def ranks_among(candidates: np.ndarray) -> np.ndarray:
        others = candidates.copy()
        ranks = []
        for user, item in pairs:
            others[user, item] = False
            ranks.append(rank_of(world.table[user, item], world.table[user, others[user]]))
        return np.array(ranks)

    wanted = ranks_among(kept)
    zeroed = np.where(kept, world.table, 0)
    zero_ranks = [rank_of(zeroed[u, i], np.delete(zeroed[u], i)) for u, i in pairs]
    by_user = dict(zip(world.test_user_ids.tolist(), wanted, strict=True))
    test_items = np.zeros_like(kept)
    test_items[:, world.test_item_ids] = True
    slips = {
        "Seen items compete: an item of the user's training set cannot be recommended, so leave it out.": ranks_among(
            unseen
        ),
        "Seen items got a score of 0, which is no low score where others are negative: -np.inf is.": np.array(
            zero_ranks
        ),
        "Ranks start at 1.": wanted - 1,
        "Ties share their average rank: yours get the best of their places.": np.array(
            [1 + (world.table[u, kept[u]] > world.table[u, i]).sum() for u, i in pairs], dtype=float
        ),
        "Ties share their average rank: yours get the worst of their places.": np.array(
            [(world.table[u, kept[u]] >= world.table[u, i]).sum() for u, i in pairs], dtype=float
        ),
        "Ranks in the order of test's rows, not of the user ids.": np.array(
            [by_user[user] for user in sorted(by_user)]
        ),
        "The whole catalogue competes, and not the test items of others alone.": ranks_among(kept & test_items),
    }
    otherwise = (
        "1, one for each unseen item with a higher score, a half for each other unseen item with the same score."
    )
    yield expect_close(
        seen["ranks"],
        wanted,
        slip=recognise(seen["ranks"], slips, otherwise),
        saw=f"{len(wanted)} test items among all that their users had not met: ranks to {format_value(wanted.max())}.",
    )
