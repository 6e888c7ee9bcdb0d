"""Lesson 02: pairs of models whose order flips, and lists of ten without what was seen."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_array, format_value
from course_utils.checks.framework import World, check
from course_utils.checks.ncf_retrieval.ranking import ranking_world, seen_items
from course_utils.checks.ncf_retrieval.worlds import as_whole_numbers, encoded

NAMES = ("pop", "mlp", "ncf", "dot", "als")
A_LIST_OF_PAIRS = "Return a list of pairs of names: [(first, second), ...]."


def flips_world(rng: np.random.Generator) -> World:
    """Hits of five models and 200 users; some pairs flip, others do not, and two models tie on one side."""
    while True:
        sampled_mean = rng.permutation([80, 90, 100, 100, 120])
        full_mean = rng.permutation([10, 20, 30, 30, 45])
        pairs = list(flips(sampled_mean, full_mean))
        ties = [
            (a, b)
            for a, b in permutations(range(5), 2)
            if (sampled_mean[a] == sampled_mean[b]) != (full_mean[a] == full_mean[b])
        ]
        if 2 <= len(pairs) <= 6 and ties:
            break
    hits = {}
    for kind, means in (("sampled", sampled_mean), ("full", full_mean)):
        hits[kind] = np.array([rng.permutation(np.arange(200) < mean) for mean in means]).astype(float)
    return World(public=hits)


def flips(sampled: np.ndarray, full: np.ndarray):
    """The pairs (a, b) of places where a has more in the first, and b in the second."""
    for a, b in permutations(range(len(sampled)), 2):
        if sampled[a] > sampled[b] and full[a] < full[b]:
            yield a, b


@check(points=1, call="flipped_pairs(sampled, full)", world=flips_world)
def flipped_pairs(flipped_pairs, world):
    """Pairs of models of which the first is better on sampled hits, and the second on full ones."""
    sampled, full = (dict(zip(NAMES, hits.copy(), strict=True)) for hits in (world.sampled, world.full))
    result = flipped_pairs(sampled, full)
    try:
        pairs = [tuple(map(str, pair)) for pair in result]
        pairs = pairs if all(len(pair) == 2 for pair in pairs) else None
    except TypeError:
        pairs = None
    if pairs is None or isinstance(result, str):
        return {"pairs": None, "returned": type(result).__name__}
    return {"pairs": np.array([" > ".join(pair) for pair in pairs], dtype=str), "returned": f"{len(pairs)} pairs"}


@flipped_pairs.judge
def _(seen, world):
    if not isinstance(seen["pairs"], np.ndarray):
        yield Finding(0, came_back=str(seen["returned"]), expected="a list of pairs of names", slip=A_LIST_OF_PAIRS)
    sampled, full = world.sampled.sum(axis=1), world.full.sum(axis=1)
    wanted = {f"{NAMES[a]} > {NAMES[b]}" for a, b in flips(sampled, full)}
    got = [str(one) for one in seen["pairs"].ravel()]
    turned = {" > ".join(reversed(pair.split(" > "))) for pair in wanted}
    loose = {
        f"{NAMES[a]} > {NAMES[b]}"
        for a, b in permutations(range(5), 2)
        if sampled[a] >= sampled[b] and full[a] <= full[b] and (sampled[a], full[a]) != (sampled[b], full[b])
    }
    agree = {
        f"{NAMES[a]} > {NAMES[b]}"
        for a, b in permutations(range(5), 2)
        if sampled[a] > sampled[b] and full[a] > full[b]
    }
    slip = (
        "For every two models: is the first better in the mean of sampled, and the second better in the mean of full?"
    )
    if set(got) == turned:
        slip = "Each pair is turned round: first the model that is better on sampled, then the one better on full."
    elif set(got) == wanted | turned:
        slip = "Each pair once: the model that is better on sampled comes first."
    elif set(got) == wanted:
        slip = "Each pair once: some are in the list several times."
    elif set(got) == loose:
        slip = "A tie is no flip: both differences must be there, and of opposite sign."
    elif set(got) == agree:
        slip = "Those are the pairs on which the two agree."
    elif set(got) < wanted | turned:
        slip = "Pairs are missing: compare every two models, not neighbours in the table or the best two alone."
    yield expect(
        sorted(got) == sorted(wanted),
        came_back=", ".join(got) or "no pair",
        expected=", ".join(sorted(wanted)) + ", in any order",
        slip=slip,
        saw=f"{len(wanted)} pairs of five models change places between the two ways to ask.",
    )


SEEN = "Films that the user has seen are recommended: take the user's training items out before you choose."


@check(
    points=2,
    call="top_unseen(score_users, user_ids, train, n)",
    world=ranking_world,
    hints={
        "IndexError": "score_users(user_ids) has one row for each of user_ids, in their order: row b is user_ids[b]."
    },
)
def top_unseen(top_unseen, world):
    """The n best items of each user that are not in their training set."""
    train = encoded(world.train_user_ids, world.train_item_ids, world.n_users, world.n_items)
    scores = without_ties(world)
    users = world.test_user_ids[:7]

    def score_users(user_ids):
        return scores[np.asarray(user_ids)].copy()

    return {
        "items": as_whole_numbers(top_unseen(score_users, users.copy(), train, 10)),
        "three": as_whole_numbers(top_unseen(score_users, users[:1].copy(), train, 3)),
    }


def without_ties(world) -> np.ndarray:
    """(n_users, n_items) the world's scores, each different, all below 0: to NCF's logits, 0 is a high score."""
    return world.table + np.linspace(0, 0.5, world.table.size).reshape(world.table.shape) - 20


@top_unseen.judge
def _(seen, world):
    users, scores, known = world.test_user_ids[:7], without_ties(world), seen_items(world)
    order = [sorted(range(world.n_items), key=lambda item: -scores[user, item]) for user in users]
    unseen = [[item for item in row if not known[user, item]] for user, row in zip(users, order, strict=True)]
    wanted = np.array([row[:10] for row in unseen])
    yield expect_array(
        seen["items"], shape=wanted.shape, kind="iu", slip="One row for each of user_ids, with n item ids each."
    )
    got = np.asarray(seen["items"])
    hits = sum(bool(known[user, item]) for user, row in zip(users, got, strict=True) for item in row % world.n_items)
    slips = {
        "Places in the list of unseen items are no item ids: index the list of candidates by them.": np.array(
            [[int(np.flatnonzero(~known[u]).tolist().index(item)) for item in row] for u, row in zip(users, wanted)]  # noqa: B905
        ),
        "That is the list from its lower end: the best score first.": np.array([row[::-1][:10] for row in unseen]),
        "The ten are right, their order is not: best first.": wanted[:, ::-1],
        "The rows of a mask over all users are user ids: take its rows user_ids, not its first.": np.argsort(
            -np.where(known[: len(users)], -np.inf, scores[users]), axis=1
        )[:, :10],
        "Those are lists of other users: row b is user_ids[b].": np.array(
            [[i for i in np.argsort(-scores[b]) if not known[b, i]][:10] for b in range(len(users))]
        ),
    }
    slip = next((words for words, result in slips.items() if np.array_equal(got, result)), "")
    if not slip and hits:
        slip = SEEN
        if hits == sum(min(10, int(known[user].sum())) for user in users):  # as many as there can be, and all in front
            slip += " (A score of 0 does not keep them out: all other scores are negative here. -np.inf does.)"
    if not slip and all(set(row) == set(right) for row, right in zip(got.tolist(), wanted.tolist(), strict=True)):
        slip = "The ten are right, their order is not: best first (argpartition leaves them unsorted)."
    yield expect(
        np.array_equal(got, wanted),
        came_back=f"{format_value(got)}, {hits} of them items that the user has met",
        expected=f"{format_value(wanted)}, none of which the user has met",
        slip=slip or "The n highest scores among the items that the user has not met in train, best first.",
    )
    yield expect(
        np.array_equal(np.asarray(seen["three"]), wanted[:1, :3]),
        call="top_unseen(score_users, user_ids[:1], train, 3)",
        came_back=str(seen["three"]),
        expected=str(wanted[:1, :3].tolist()),
        slip="n items a user, also for one user: keep the dimension.",
        saw=f"Lists of ten for {len(users)} users, best first, nothing seen among them.",
    )
