"""Lesson 02: negatives for training, drawn all at once."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect, expect_array, format_value
from course_utils.checks.framework import World, check
from course_utils.checks.ncf_retrieval.worlds import as_whole_numbers, met

MOST_CALLS = 400
"""Draws from rng, at most, for 1,200 positives of 30 users: a call for each user is fine, one for each row is not."""
UNEVEN = 6.5
"""Standard deviations by which no count of an even draw differs: of the 500 counts of a check, by luck one in 10^8."""


def negatives_world(rng: np.random.Generator) -> World:
    """Thirty users, one of whom has met all items but three; the first and last item are among everybody's unseen."""
    n_users, n_items = 30, int(rng.integers(24, 30))
    seen = met(rng, n_users, n_items, 0.4)
    seen[:, [0, n_items - 1]] = False
    busy = int(rng.integers(n_users))
    seen[busy] = True
    seen[busy, [0, int(rng.integers(2, n_items - 2)), n_items - 1]] = False
    user_ids = np.concatenate([np.full(240, busy), rng.integers(0, n_users, 960)])
    seeds = rng.choice(10_000, 2, replace=False)
    public = {"seen": seen, "user_ids": rng.permutation(user_ids), "n_negatives": 4}
    return World(public={**public, "busy": busy, "seed": int(seeds[0]), "other_seed": int(seeds[1])})


@check(
    points=3,
    call="draw_negatives(user_ids, seen, n_negatives, rng)",
    world=negatives_world,
    hints={"IndexError": "seen[user_ids, item_ids] looks pairs up: users are its rows, items its columns."},
)
def draw_negatives(draw_negatives, world):
    """Four items for each row that its user has not met, drawn evenly from rng, without a loop over rows."""
    calls = [0]

    class Counted(np.random.Generator):
        """A generator that counts what is asked of it."""

        def __getattribute__(self, name):
            if name in ("integers", "choice", "random", "permutation", "permuted", "shuffle", "uniform"):
                calls[0] += 1
            return super().__getattribute__(name)

    def generator(seed: int) -> np.random.Generator:
        return Counted(np.random.PCG64(seed))

    arguments = world.user_ids.copy(), world.seen.copy(), world.n_negatives
    rng = generator(world.seed)
    seen = {"items": as_whole_numbers(draw_negatives(*arguments, rng)), "calls": calls[0]}
    seen["next"] = as_whole_numbers(draw_negatives(*arguments, rng))
    seen["again"] = as_whole_numbers(draw_negatives(*arguments, generator(world.seed)))
    seen["other"] = as_whole_numbers(draw_negatives(*arguments, generator(world.other_seed)))
    seen["many"] = as_whole_numbers(draw_negatives(np.full(4000, world.busy), world.seen.copy(), 3, generator(1)))
    return seen


@draw_negatives.judge
def _(seen, world):
    n, k = len(world.user_ids), world.n_negatives
    n_items = world.seen.shape[1]
    for case in ("items", "next", "again", "other"):
        slip = "Return whole numbers, item ids, n_negatives of them for each row of user_ids."
        yield expect_array(seen[case], shape=(n, k), kind="iu", slip=slip)
    yield expect_array(seen["many"], shape=(4000, 3), kind="iu", slip="n_negatives columns, whatever its number.")
    items = np.asarray(seen["items"])
    yield expect(
        items.min() >= 0 and items.max() < n_items,
        came_back=f"item ids from {items.min()} to {items.max()}",
        expected=f"item ids from 0 to {n_items - 1}",
        slip="rng.integers(n_items) draws from 0 to n_items - 1; the end is excluded already.",
    )
    hits = np.concatenate(
        [world.seen[world.user_ids[:, None], items].ravel(), world.seen[world.busy, seen["many"]].ravel()]
    )
    chance = world.seen[world.user_ids].mean()
    slip = "Draw again for every pair with seen[user, item], and go on until none is left: a second draw may hit, too."
    if abs(world.seen[world.user_ids[:, None], items].mean() - chance) < 0.08:
        slip = "Nothing was drawn again: negatives hit positives as often as by chance. Look all of a user's items up."
    yield expect(
        not hits.any(),
        came_back=f"{int(hits.sum())} of {hits.size} negatives that their user has met",
        expected="none: the user of row b has met none of the items of row b",
        slip=slip,
    )
    yield expect(
        not np.array_equal(items, seen["next"]),
        call="draw_negatives(...) twice, with the same generator",
        came_back="the same negatives twice",
        expected="fresh ones",
        slip="Draw from the rng that is passed in: a generator made inside gives the same negatives in every epoch.",
    )
    yield expect(
        np.array_equal(items, seen["again"]) and not np.array_equal(items, seen["other"]),
        call="draw_negatives(...), with generators of the same and of another seed",
        came_back="other negatives for the same seed, or the same for another",
        expected="negatives that the seed settles",
        slip="All randomness comes from rng.",
    )
    first = {int(user): items[np.flatnonzero(world.user_ids == user)] for user in np.unique(world.user_ids)}
    alike = np.mean([bool((rows == rows[0]).all()) for rows in first.values() if len(rows) > 3])
    slip = "Each row gets draws of its own; one draw a user, handed to all their rows, shows a model far too few items."
    yield expect(alike < 0.5, came_back="the same negatives in all rows of a user", expected="fresh ones", slip=slip)
    copies = (items == items[:, :1]).all(axis=1).mean()
    slip = "Each of the n_negatives columns gets draws of its own."
    yield expect(copies < 0.5, came_back="the same item n_negatives times", expected="n_negatives draws", slip=slip)
    yield from drawn_evenly(items, np.asarray(seen["many"]), world)
    yield expect(
        int(seen["calls"]) <= MOST_CALLS,
        came_back=f"{int(seen['calls'])} calls of rng for {n} rows",
        expected=f"at most {MOST_CALLS}",
        slip="No loop over rows: draw for all rows at once, rng.integers(n_items, size=(n, k)), then misfits again.",
        saw=f"{items.size} negatives for {n} positives, none of them met, every unseen item as likely as any other.",
    )


def drawn_evenly(items: np.ndarray, many: np.ndarray, world):
    """Whether all unseen items of a user come up equally often, over all rows of each user."""
    drawn = [(user, items[world.user_ids == user].ravel()) for user in range(len(world.seen))]
    for user, own in [*drawn, (world.busy, many.ravel())]:
        unseen = np.flatnonzero(~world.seen[user])
        counts = np.bincount(own, minlength=world.seen.shape[1])[unseen]
        chance = 1 / len(unseen)
        off = (counts - len(own) * chance) / np.sqrt(max(len(own) * chance * (1 - chance), 1e-9))
        if len(own) * chance < 20:  # too few draws to speak of evenness
            continue
        missing = unseen[counts == 0]
        slip = "Every unseen item is as likely as any other. To take the next one instead of a new draw favours some."
        if len(missing) and set(missing.tolist()) <= {0, world.seen.shape[1] - 1}:
            slip = "The first or last item never comes up: dense ids run from 0 to n_items - 1."
        yield expect(
            bool((np.abs(off) < UNEVEN).all()),
            call=f"draw_negatives(...), counting the items of a user with {len(unseen)} unseen ones",
            came_back=f"counts {format_value(counts)} of {len(own)} draws",
            expected=f"about {len(own) * chance:.0f} each",
            slip=slip,
        )
