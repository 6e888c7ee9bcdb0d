"""Lesson 03, what is measured: reciprocal ranks, counts of what follows what, and the best MRR that there is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from course_utils.checks.expect import Finding, expect_array, expect_close, likely
from course_utils.checks.framework import World, check


def ranks_world(rng: np.random.Generator) -> World:
    """Scores in which the padding would lead, with ties at the target in half of the rows; and a constant scorer."""
    n, n_items = int(rng.integers(12, 17)), int(rng.integers(25, 33))
    scores = rng.normal(size=(n, n_items))
    targets = rng.integers(1, n_items, n)
    for row in range(0, n, 2):  # the target shares its score with one to four others
        others = rng.choice(np.delete(np.arange(1, n_items), targets[row] - 1), int(rng.integers(1, 5)), replace=False)
        scores[row, others] = scores[row, targets[row]]
    scores[1, targets[1]] = scores[1, 1:].max() + 1  # alone at the top
    scores[:, 0] = scores.max(axis=1) + 1
    return World(public={"scores": scores.astype(np.float32), "targets": targets, "n_constant": n_items})


@check(points=2, call="reciprocal_ranks(scores, targets)", world=ranks_world)
def reciprocal_ranks(reciprocal_ranks, world):
    """1 / rank of each row's target: ties share their average rank, and padding is never ranked."""
    flat = np.zeros((3, world.n_constant), dtype=np.float32)
    return {
        "ranks": reciprocal_ranks(world.scores.copy(), world.targets.copy()),
        "constant": reciprocal_ranks(flat, np.array([1, 2, world.n_constant - 1])),
    }


LOWEST_FIRST = "The rank is taken from the lowest score up: a high score is a good one."


@reciprocal_ranks.judge
def _(seen, world):
    rows = list(zip(world.scores.tolist(), world.targets.tolist(), strict=True))
    better = np.array([sum(s > row[target] for s in row[1:]) for row, target in rows])
    equal = np.array([sum(s == row[target] for s in row[1:]) for row, target in rows])  # the target among them
    right = 1 / (1 + better + (equal - 1) / 2)
    worse = np.array([sum(s < row[target] for s in row[1:]) for row, target in rows])
    slips = {
        "Ties are counted optimistically: a target that shares its score with others gets the best of their ranks. "
        "They share the average rank.": 1 / (1 + better),
        "Ties are counted pessimistically: a target gets the worst of the ranks that it shares. Take the average.": (
            1 / (better + equal)
        ),
        "Column 0 is ranked: the padding is no film, and never competes.": 1 / (2 + better + (equal - 1) / 2),
        "The rank of the padding counts, and ties are counted optimistically.": 1 / (2 + better),
        "Ranks start at 1: the best film has rank 1, not 0 or 2.": 1 / (2 + better + (equal - 1)),
        LOWEST_FIRST: 1 / (1 + worse + (equal - 1) / 2),
        "That is the rank itself: the measure is 1 / rank.": 1 / right,
    }
    got = np.asarray(seen["ranks"])
    slip = likely(seen["ranks"], slips, "For each row: 1 + films with a better score + half of the other films with "
                  "the same score; then 1 / that.")  # fmt: skip
    if slip not in slips and got.dtype.kind == "f" and got.shape == right.shape:
        with np.errstate(divide="ignore"):
            places = 1 / got

        def within(ahead) -> bool:
            """Whether every target has one of the places that it shares, with so many films ahead."""
            return bool(((places > ahead + 1 - 1e-6) & (places < ahead + equal + 1e-6)).all())

        if within(better) or within(better + 1):  # without the padding, or with it
            slip = "Ties are broken by position, as argsort does it: films with equal scores share the average rank."
        elif within(worse):
            slip = LOWEST_FIRST
    if got.dtype.kind == "f" and got.shape == right.shape and (~np.isfinite(got) | (got > 1)).any():
        are_ranks = np.isfinite(got).all() and (got >= 1).all()
        slip = (
            "These look like ranks: what is asked for is one over each."
            if are_ranks
            else "A reciprocal rank is at most 1: ranks start at 1, not at 0."
        )
    elif got.shape == () and got.dtype.kind in "iuf":
        slip = "One number a row: the mean over the rows is taken later."
    # ties move a rank by half a place or more: at these ranks 1 / rank by more than 1e-3
    yield expect_close(seen["ranks"], right, atol=1e-6, kind="f", slip=slip)
    middle = np.full(3, 2 / world.n_constant)
    yield expect_close(
        seen["constant"],
        middle,
        atol=1e-6,
        call=f"reciprocal_ranks(scores, targets) with all scores 0 and n_items={world.n_constant}",
        slip="A constant scorer must not look good: all real films share the rank in the middle of the list.",
        saw=f"{len(right)} rows, half of them with ties, MRR {right.mean():.4f}; a constant scorer gets the middle.",
    )


def counts_world(rng: np.random.Generator) -> World:
    """Short and full windows of few items, so that pairs repeat; one pair always comes twice."""
    n_items, length = int(rng.integers(7, 10)), int(rng.integers(5, 8))
    windows = rng.integers(1, n_items, (12, length))
    for row, n in enumerate(rng.integers(1, length, 5)):
        windows[row, :-n] = 0
    windows[-1, -4:] = (1, 2, 1, 2)
    return World(public={"windows": windows, "n_items": n_items})


@check(
    points=2,
    call="count_next(windows, n_items)",
    world=counts_world,
    hints={"IndexError": "The table has n_items rows and columns: one for every id from 0 to n_items - 1."},
)
def count_next(count_next, world):
    """How often item b came right after item a."""
    counts = count_next(world.windows.copy(), world.n_items)
    return {"counts": counts, "sparse": hasattr(counts, "toarray")}


@count_next.judge
def _(seen, world):
    n = world.n_items

    def table(pairs) -> np.ndarray:
        counts = np.zeros((n, n))
        for a, b in pairs:
            counts[a, b] += 1
        return counts

    rows = world.windows.tolist()
    all_pairs = [pair for row in rows for pair in pairwise(row)]
    pairs = [(a, b) for a, b in all_pairs if a > 0]  # padding stands in front only, so b is an item, too
    flat = [item for row in rows for item in row]
    through = [(a, b) for a, b in pairwise(flat) if a > 0 and b > 0]
    joined = [item for item in flat if item > 0]
    further = [(row[i], row[j]) for row in rows for j in range(len(row)) for i in range(j) if row[i] > 0]
    right = table(pairs)
    no_first = table(all_pairs)
    no_first[0, 0] = 0
    slips = {
        "Padding is counted as an item: leave out pairs with a 0 in them.": table(all_pairs),
        "Padding is counted as an item, as what comes before a window's first item: leave row 0 empty.": no_first,
        "Rows and columns are swapped: counts[a, b] is how often b came after a.": right.T,
        "A pair that comes twice counts once: counts[a, b] += 1 with index arrays does that. np.add.at, np.bincount "
        "or a sparse matrix adds up.": np.minimum(right, 1),
        "The last item of a window and the first of the next are counted as neighbours.": table(through),
        "Windows are run together: the last item of one and the first of the next are no neighbours.": table(
            pairwise(joined)
        ),
        "All later items of the window are counted: count only the one right after.": table(further),
        "Those are shares: return the counts themselves.": right / np.maximum(right.sum(axis=1, keepdims=True), 1),
    }
    slip = likely(
        seen["counts"], slips, "Go through neighbouring columns of every window: windows[:, :-1] and [:, 1:]."
    )
    form = "One row and one column for every id, 0 included."
    if np.array_equal(seen["sparse"], True):
        form = "That is a sparse matrix: counts.toarray() makes an array of it."
    yield expect_array(seen["counts"], shape=(n, n), slip=form)
    yield expect_close(
        seen["counts"],
        right,
        slip=slip,
        saw=f"{int(right.sum())} pairs of neighbours in {len(rows)} windows, none of them with padding.",
    )


def truth_world(rng: np.random.Generator) -> World:
    """Rows of probabilities, of very different shapes, and 0 for the padding."""
    n, n_items = int(rng.integers(6, 10)), int(rng.integers(10, 16))
    probs = np.zeros((n, n_items))
    for row, concentration in zip(probs, np.geomspace(0.05, 5, n), strict=True):
        row[1:] = rng.dirichlet(np.full(n_items - 1, concentration))
    return World(public={"probs": probs})


@check(points=1, call="best_possible_mrr(probs)", world=truth_world)
def best_possible_mrr(best_possible_mrr, world):
    """The MRR to expect of a ranking by the true probabilities."""
    return {"mrr": best_possible_mrr(world.probs.copy())}


@best_possible_mrr.judge
def _(seen, world):
    places = np.arange(1, world.probs.shape[1] + 1)
    ordered = np.array([sorted(row, reverse=True) for row in world.probs.tolist()])
    right = float(np.mean(ordered @ (1 / places)))
    slips = {
        "That is the share of rows in which the likeliest item comes next: the second place is worth 1/2.": float(
            world.probs.max(axis=1).mean()
        ),
        "The items are in the order of their ids: sort each row, the likeliest first.": float(
            np.mean(world.probs @ (1 / places))
        ),
        "That ranks the least likely item first: sort in falling order.": float(
            np.mean(ordered[:, ::-1] @ (1 / places))
        ),
        "Ranks start at 1: the likeliest item counts in full.": float(np.mean(ordered @ (1 / (places + 1)))),
        "That is the sum over the rows: take their mean.": right * len(world.probs),
        "That is one over the mean rank: average 1 / rank, not the rank.": float(np.mean(1 / (ordered @ places))),
    }
    got = np.asarray(seen["mrr"])
    if got.shape == (len(world.probs),):
        yield Finding(
            0,
            came_back=f"{len(got)} numbers",
            expected="one number",
            slip="That is one number a row: return their mean.",
        )
    slip = likely(seen["mrr"], slips, "An item at rank r comes next with its probability p, and then counts 1 / r.")
    yield expect_close(
        seen["mrr"],
        np.float64(right),
        atol=1e-5,
        slip=slip,
        saw=f"{len(world.probs)} rows of probabilities: no ranking expects more than {right:.4f}.",
    )
