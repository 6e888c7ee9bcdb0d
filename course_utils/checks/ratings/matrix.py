"""Lesson 00: how full the matrix is, and how long its tail."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect_close, likely
from course_utils.checks.framework import World, check
from course_utils.checks.tables import frame, raw_ids, table_rows


def matrix_world(rng: np.random.Generator) -> World:
    n_users, n_items = rng.choice([5, 7]), rng.choice([9, 11, 13])  # both odd: never exactly half full
    filled = rng.random((n_users, n_items)) < 0.4
    filled[np.arange(n_items) % n_users, np.arange(n_items)] = True  # no empty row, no empty column
    users, items = np.nonzero(filled)
    rows = table_rows(rng, raw_ids(rng, n_users)[users], raw_ids(rng, n_items)[items])
    return World(public={"rows": rows, "alone": rows[:1]}, secret={"filled": filled})


@check(points=1, call="density(ratings)", world=matrix_world)
def density(density, world):
    """The filled share of the matrix of the users and items that occur."""
    return {"share": density(frame(world.rows)), "alone": density(frame(world.alone))}


@density.judge
def _(seen, world):
    n, (n_users, n_items), expected = len(world.rows), world.filled.shape, world.filled.mean()
    largest_user, largest_item = world.rows[:, 0].max(), world.rows[:, 1].max()
    gaps = "Ids have gaps: count the ids that occur, whatever the largest one is."
    mistakes = {
        "That is the empty share; the filled one is asked for.": 1 - expected,
        "That is a percentage; a share lies between 0 and 1.": 100 * expected,
        gaps: n / (largest_user * largest_item),
        gaps + " Nor does an id 0 occur.": n / ((largest_user + 1) * (largest_item + 1)),
        "A matrix of m rows and n columns has m times n cells, not m plus n.": n / (n_users + n_items),
        "That is a number of ratings; divide it by the number of cells.": n,
    }
    slip = likely(seen["share"], mistakes, "Divide the number of ratings by the number of cells: users times items.")
    saw = f"{n} ratings of {n_users} users on {n_items} items fill {expected:.1%} of the cells."
    yield expect_close(seen["share"], expected, slip=slip, saw=saw)
    alone = "One user and one item make a matrix of a single cell, and it is filled."
    yield expect_close(seen["alone"], 1.0, call="density(ratings), where ratings has one row", slip=alone)


def long_tail_world(rng: np.random.Generator) -> World:
    counts = np.sort(rng.choice(np.arange(1, 16), 8, replace=False))[::-1]
    counts = np.insert(counts, 3, counts[2])  # the third and the fourth are tied, and n_top = 3 parts them
    items = np.sort(raw_ids(rng, 9))[[8, 1, *2 + rng.permutation(5), 0, 7]]  # the favourite has the largest id
    users = np.concatenate([rng.choice(np.arange(1, 21), n, replace=False) for n in counts])
    rows = table_rows(rng, users, np.repeat(items, counts))
    return World(public={"rows": rows, "n_tops": np.array([1, 3, 6, 9, 50])}, secret={"counts": counts, "items": items})


@check(points=1, call="head_share(ratings, n_top) for n_top in (1, 3, 6, 9, 50)", world=long_tail_world)
def head_share(head_share, world):
    """The share of all ratings that the most rated items hold."""
    return {"shares": [head_share(frame(world.rows), int(n_top)) for n_top in world.n_tops]}


@head_share.judge
def _(seen, world):
    n = len(world.rows)

    def shares(counts):
        return np.array([counts[:n_top].sum() for n_top in world.n_tops]) / n

    expected = shares(world.counts)
    user_counts = np.sort(np.unique(world.rows[:, 0], return_counts=True)[1])[::-1]
    mistakes = {
        "Items with as many ratings were all taken: the head is exactly n_top items, whichever of the tied.": np.array(
            [world.counts[world.counts >= world.counts[min(n_top, 9) - 1]].sum() for n_top in world.n_tops]
        )
        / n,
        "Those are the least rated items: take the largest counts.": shares(world.counts[::-1]),
        "Those are the items with the smallest ids: sort by count first.": shares(
            world.counts[np.argsort(world.items)]
        ),
        "Those are the most active users; the most rated items are asked for.": shares(user_counts),
        "That is a number of ratings; divide it by the number of all ratings.": expected * n,
        "That is a percentage; a share lies between 0 and 1.": expected * 100,
    }
    slip = likely(seen["shares"], mistakes, "Count the ratings of each item, add up the n_top largest, divide by all.")
    yield expect_close(
        seen["shares"],
        expected,
        slip=slip,
        saw=f"The most rated of 9 items holds {expected[0]:.0%} of {n} ratings, and all of them hold 100%.",
    )
