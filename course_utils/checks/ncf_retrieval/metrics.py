"""Lesson 02: the rank of the right item, HR and NDCG from ranks, and how popular an item is."""

from __future__ import annotations

import math

import numpy as np

from course_utils.checks.expect import Finding, expect_array, expect_close, expect_returned, format_value, returned
from course_utils.checks.framework import World, check
from course_utils.checks.ncf_retrieval.worlds import first_failure, rank_of, recognise, worth


def scores_world(rng: np.random.Generator) -> World:
    """Scores with ties; one row's target is the best, one's the worst, and one's ties with everything."""
    n_rows, n_others = int(rng.integers(9, 13)), int(rng.integers(17, 23))
    others = rng.integers(-6, 7, (n_rows, n_others)).astype(np.float32) / 2
    targets = others[np.arange(n_rows), rng.integers(0, n_others, n_rows)].copy()  # ties with one other at least
    targets[:3] = 9, -9, 0
    others[2] = 0
    order = rng.permutation(n_rows)
    return World(public={"target_scores": targets[order], "other_scores": others[order]})


@check(
    points=1,
    call="average_rank(target_scores, other_scores)",
    world=scores_world,
    hints={
        "ValueError": "target_scores is (B,), other_scores is (B, n): target_scores[:, None] holds every row against "
        "its own target."
    },
)
def average_rank(average_rank, world):
    """The rank of each target among the others, from 1, ties averaged."""
    return {
        "ranks": average_rank(world.target_scores.copy(), world.other_scores.copy()),
        "one": average_rank(world.target_scores[:1].copy(), world.other_scores[:1].copy()),
    }


@average_rank.judge
def _(seen, world):
    targets, others = world.target_scores, world.other_scores
    wanted = np.array([rank_of(t, row) for t, row in zip(targets, others, strict=True)])
    better = (others > targets[:, None]).sum(axis=1)
    equal = (others == targets[:, None]).sum(axis=1)
    slips = {
        "Ranks start at 1: yours start at 0.": wanted - 1,
        "Ties share their average rank: yours get the best of their places, which pays a model for knowing nothing.": 1
        + better,
        "Ties share their average rank: yours get the worst of their places.": 1 + better + equal,
        "Items with a *higher* score are in front: yours counts the lower ones.": others.shape[1] + 2 - wanted,
        "Count half of the *other* items with the same score; the target does not tie with itself.": wanted + 0.5,
        "Half of the equals, and not half of a place less: 1 + better + equal / 2.": np.floor(wanted),
        "That counts half of the better ones as well.": 1 + (better + equal) / 2,
    }
    slip = recognise(seen["ranks"], slips, "1, and one for each higher score, and one half for each equal one.")
    yield expect_close(seen["ranks"], wanted, slip=slip)
    yield expect_close(
        seen["one"],
        wanted[:1],
        call="average_rank(target_scores[:1], other_scores[:1])",
        slip="A batch of one row gives one rank, of shape (1,): name the axis that you sum over.",
        saw=f"{len(wanted)} rows with {int(equal.sum())} ties: ranks from 1, and equals share their average.",
    )


TOP_KS = (10, 5, 1)


def ranks_world(rng: np.random.Generator) -> World:
    """Ranks from 1, whole and half; ranks at both sides of every cut, and ties across it."""
    ranks = np.concatenate([[1, 1.5, 2, 5, 5.5, 6, 10, 10.5, 11], rng.integers(1, 60, 31) / 1.0])
    return World(public={"ranks": rng.permutation(ranks)})


@check(
    points=2,
    call="hit_rate_and_ndcg(ranks, top_k)",
    world=ranks_world,
    hints={"ZeroDivisionError": "The logarithm of rank 1 is 0: NDCG divides by log2(1 + rank)."},
)
def hit_rate_and_ndcg(hit_rate_and_ndcg, world):
    """HR@k and NDCG@k, means over users, for one relevant item each."""
    seen = {}
    for top_k in TOP_KS:
        seen |= returned(hit_rate_and_ndcg(world.ranks.copy(), top_k), "hr", "ndcg", case=f"_{top_k}")
    seen |= {"fits": seen["fits_10"], "returned": seen["returned_10"]}
    return seen


@hit_rate_and_ndcg.judge
def _(seen, world):
    yield expect_returned(seen, "2 values: hr, ndcg")
    hit_rate = first_failure(hit_rate_findings(seen, world.ranks.tolist()))
    gain = first_failure(ndcg_findings(seen, world.ranks.tolist()))
    for failure, other, name in ((hit_rate, gain, "NDCG"), (gain, hit_rate, "HR")):
        if failure:
            yield worth(0.0 if other else 0.5, failure, f"{name} is right.")
    cuts = ", ".join(map(str, TOP_KS))
    saw = f"HR and NDCG over {len(world.ranks)} users, cut at {cuts}: a hit at rank r is worth 1 / log2(1 + r)."
    yield Finding(1, saw=saw)


def hit_rate_findings(seen, ranks: list[float]):
    n = len(ranks)
    for top_k in TOP_KS:
        call = f"hr of hr, ndcg = hit_rate_and_ndcg(ranks, {top_k})"
        wanted = sum(rank <= top_k for rank in ranks) / n
        slips = {
            "A rank of exactly top_k is in the list: rank <= top_k.": sum(rank < top_k for rank in ranks) / n,
            "Ranks start at 1: yours counts as if they began at 0.": sum(rank <= top_k + 1 for rank in ranks) / n,
            "That is the number of hits: divide by the number of users.": sum(rank <= top_k for rank in ranks),
            "That is precision: one list can hold one hit, so divide by the users alone.": wanted / top_k,
            "The cut is at top_k, whatever its value: that is the one for 10.": sum(rank <= 10 for rank in ranks) / n,
            "That is NDCG: HR counts each hit as 1, NDCG by its place.": ndcg(ranks, top_k),
        }
        slip = recognise(seen[f"hr_{top_k}"], slips, "The share of users whose rank is at most top_k.")
        yield expect_close(seen[f"hr_{top_k}"], np.float64(wanted), call=call, slip=slip)


def ndcg_findings(seen, ranks: list[float]):
    for top_k in TOP_KS:
        yield expect_close(
            seen[f"ndcg_{top_k}"],
            np.float64(ndcg(ranks, top_k)),
            call=f"ndcg of hr, ndcg = hit_rate_and_ndcg(ranks, {top_k})",
            slip=ndcg_slip(seen[f"ndcg_{top_k}"], ranks, top_k),
        )


def ndcg(ranks: list[float], top_k: int, gain=lambda rank: 1 / math.log2(1 + rank)) -> float:
    return sum(gain(rank) for rank in ranks if rank <= top_k) / len(ranks)


def ndcg_slip(seen, ranks: list[float], top_k: int) -> str:
    n_hits = max(sum(rank <= top_k for rank in ranks), 1)
    best = sum(1 / math.log2(1 + rank) for rank in range(1, top_k + 1))
    right = ndcg(ranks, top_k)
    slips = {
        "Wrong base: that is the natural logarithm. With base 2 a hit at rank 1 is worth 1.": right * math.log(2) ** -1,
        "Wrong base: that is the logarithm to base 10. With base 2 a hit at rank 1 is worth 1.": right * math.log2(10),
        "That takes ranks to start at 0: with ranks from 1 the gain is 1 / log2(1 + rank).": ndcg(
            ranks, top_k, lambda rank: 1 / math.log2(2 + rank)
        ),
        "That is the reciprocal rank: the gain falls with the logarithm, 1 / log2(1 + rank).": ndcg(
            ranks, top_k, lambda rank: 1 / rank
        ),
        "The list is cut after top_k: later ranks are worth nothing.": sum(1 / math.log2(1 + rank) for rank in ranks)
        / len(ranks),
        "Average over all users: a miss is a 0 that counts.": right * len(ranks) / n_hits,
        "That is the sum: divide by the number of users.": right * len(ranks),
        "There is one relevant item, so the best possible gain is 1: nothing else to divide by.": right / best,
        "A rank of exactly top_k is in the list: rank <= top_k.": ndcg(
            [rank if rank < top_k else math.inf for rank in ranks], top_k
        ),
        "That is HR: NDCG weighs a hit by its place, 1 / log2(1 + rank).": sum(rank <= top_k for rank in ranks)
        / len(ranks),
    }
    otherwise = "1 / log2(1 + rank) for a rank of at most top_k, else 0; then the mean over all users."
    return recognise(seen, slips, otherwise)


def counts_world(rng: np.random.Generator) -> World:
    """Items in no order, some of them never met, the last among these."""
    n_items = int(rng.integers(25, 35))
    present = rng.permutation(n_items - 1)[: n_items - 6]
    item_ids = rng.permutation(np.concatenate([rng.choice(present, 120), np.repeat(present[:2], 20)]))
    return World(public={"item_ids": item_ids, "n_items": n_items})


@check(points=1, call="item_pop(item_ids, n_items)", world=counts_world)
def item_pop(item_pop, world):
    """How often each item occurs, 0 for those that do not."""
    return {"scores": item_pop(world.item_ids.copy(), world.n_items)}


@item_pop.judge
def _(seen, world):
    wanted = np.array([sum(one == item for one in world.item_ids.tolist()) for item in range(world.n_items)])
    got = seen["scores"]
    slip = "Score i is the number of times that i occurs in item_ids."
    shape = getattr(got, "shape", None)
    if shape == (int(world.item_ids.max()) + 1,):
        slip = "The last items were never met, and have a score of 0: minlength=n_items."
    elif shape == (int((wanted > 0).sum()),):
        slip = "Items that were never met are missing (np.unique and value_counts leave them out): they score 0."
    elif shape == world.item_ids.shape:
        slip = "One score for each *item*, not for each row."
    yield expect_array(got, shape=wanted.shape, slip=slip)
    slips = {
        "Whether an item was met at all is not how often.": (wanted > 0).astype(float),
        "Sorted: score i belongs to item i.": np.sort(wanted)[::-1],
        "Those are places in a list: a score is the number of times.": np.argsort(-wanted),
    }
    yield expect_close(
        got,
        wanted,
        slip=recognise(got, slips, slip),
        saw=f"{format_value(int((wanted == 0).sum()))} of {len(wanted)} items were never met and score 0.",
    )
