"""Lesson 03, the data: windows of a history, users held out, and the film to predict taken off the window."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_array, expect_equal, expect_returned, likely, returned
from course_utils.checks.framework import World, check


def history_world(rng: np.random.Generator) -> World:
    """Four histories: shorter than a window, a whole number of windows, some items more, and a single item."""
    length = int(rng.integers(4, 7))
    step = int(rng.choice([s for s in range(2, length) if length % s]))
    sizes = {"short": length - 2, "whole": 2 * length, "more": 2 * length + int(rng.integers(1, length)), "one": 1}
    public = {name: rng.choice(np.arange(1, 90), size, replace=False) for name, size in sizes.items()}
    return World(public={**public, "length": length, "step": step})


# "more" first: where the windows fill the history, the oldest window first is what a cut from the front gives
CASES = {"more": "length", "whole": "length", "short": "length", "one": "length", "sliding": "step", "every": 1}


def case_of(world, name: str) -> tuple[np.ndarray, int]:
    """The history and the step of a case."""
    step = CASES[name]
    history = getattr(world, name if name in ("whole", "more", "short", "one") else "more")
    return history, step if isinstance(step, int) else getattr(world, step)


@check(points=2, call="cut_history(item_ids, length, step)", world=history_world)
def cut_history(cut_history, world):
    """Windows of one history, the newest first, each as long as it can be, zeros in front."""
    seen = {}
    for name in CASES:
        history, step = case_of(world, name)
        seen[name] = cut_history(history.copy(), world.length, step)
    return seen


@cut_history.judge
def _(seen, world):
    for name in CASES:
        history, step = case_of(world, name)
        right = windows_by_hand(history, world.length, step)
        call = f"cut_history(item_ids, {world.length}, {step}) for a history of {len(history)} items"
        slip = likely(seen[name], slips_of_windows(history, world.length, step), GENERAL)
        yield expect_equal(seen[name], right, call=call, slip=slip)
    yield Finding(
        1, saw=f"Windows of {world.length} from histories of 1 to {len(world.more)} items, side by side and sliding."
    )


GENERAL = "Windows end at n, n - step, n - 2 * step and so on, while that is above 0; each has up to `length` items."


def windows_by_hand(history: np.ndarray, length: int, step: int) -> np.ndarray:
    """(n_windows, length), by lists."""
    rows, end = [], len(history)
    while end > 0:
        items = history[max(0, end - length) : end].tolist()
        rows.append([0] * (length - len(items)) + items)
        end -= step
    return np.array(rows)


def slips_of_windows(history: np.ndarray, length: int, step: int) -> dict[str, np.ndarray]:
    """What the usual mistakes give."""
    right = windows_by_hand(history, length, step)
    lists = [row[row > 0].tolist() for row in right]
    from_the_front = [history[start : start + length].tolist() for start in range(0, len(history), step)]
    full = right[(right > 0).all(axis=1)]
    return {
        "That is cut from the oldest item on: start at the newest, so that only the oldest is short.": np.array(
            [[0] * (length - len(row)) + row for row in from_the_front]
        ),
        "The same, from the oldest item on: the newest window comes first, and only the oldest may be short.": np.array(
            [[0] * (length - len(row)) + row for row in reversed(from_the_front)]
        ),
        "The zeros stand behind the items: they belong in front, with the newest item in the last column.": np.array(
            [row + [0] * (length - len(row)) for row in lists]
        ),
        "The oldest window comes first here: the newest comes first.": right[::-1],
        "Within a window the oldest item comes first; yours are turned round.": np.array(
            [[0] * (length - len(row)) + row[::-1] for row in lists]
        ),
        "Short windows are missing: keep them, with zeros in front.": full,
        "The windows lie side by side, whatever the step is: each ends `step` items before the one cut before it.": (
            windows_by_hand(history, length, length)
        ),
    }


N_BUSY, N_QUIET, DRAWS, UNEQUAL_FRACTION = 3, 13, 300, 0.25
TOO_OFTEN = 5.5  # standard deviations; one of 16 users is there by chance in fewer than 1 of 100,000 worlds


def users_world(rng: np.random.Generator) -> World:
    """Twenty to thirty users with 5 to 40 interactions each, ids with gaps, in mixed order; and very unequal ones."""
    n_users = int(rng.integers(20, 31))
    ids = rng.choice(np.arange(3, 400), n_users, replace=False)
    user_ids = rng.permutation(np.repeat(ids, rng.integers(5, 41, n_users)))
    seeds = rng.choice(10_000, 2, replace=False)
    n_interactions = rng.permutation(np.r_[np.full(N_BUSY, 60), np.full(N_QUIET, 2)])
    return World(
        public={
            "user_ids": user_ids,
            "test_fraction": float(rng.choice([0.2, 0.3, 0.4])),
            "seed": int(seeds[0]),
            "other_seed": int(seeds[1]),
            "unequal": rng.permutation(np.repeat(rng.choice(900, N_BUSY + N_QUIET, replace=False), n_interactions)),
        }
    )


@check(
    points=1,
    call="hold_out_users(user_ids, test_fraction, rng)",
    world=users_world,
    hints={"IndexError": "User ids are no row numbers, and they have gaps: draw from np.unique(user_ids)."},
)
def hold_out_users(hold_out_users, world):
    """A mask of the interactions of some users, drawn at random, with all that these users have."""
    seeds = {"mask": world.seed, "again": world.seed, "other": world.other_seed}
    seen = {
        name: hold_out_users(world.user_ids.copy(), world.test_fraction, np.random.default_rng(seed))
        for name, seed in seeds.items()
    }
    if not hasattr(seen["mask"], "__len__") or len(seen["mask"]) != len(world.user_ids):
        return seen
    rng = np.random.default_rng(world.seed)
    draws = [hold_out_users(world.unequal.copy(), UNEQUAL_FRACTION, rng) for _ in range(DRAWS)]
    return seen | {"draws": np.array([np.asarray(mask, dtype=bool) for mask in draws])}


@hold_out_users.judge
def _(seen, world):
    users = np.unique(world.user_ids)
    wanted = round(world.test_fraction * len(users))
    slip = "One True or False for every interaction: True where its user is held out."
    yield expect_array(seen["mask"], shape=world.user_ids.shape, kind="b", slip=slip)
    mask = np.asarray(seen["mask"], dtype=bool)
    test, train = np.unique(world.user_ids[mask]), np.unique(world.user_ids[~mask])
    both = np.intersect1d(test, train)
    yield expect(
        len(both) == 0,
        call="hold_out_users(...), looking for users on both sides",
        came_back=f"{len(both)} of {len(users)} users have interactions that are held out and others that are not",
        expected="every user wholly on one side",
        slip="That would be training on test users: draw users, not interactions, and take all that they have.",
    )
    slip = f"round(test_fraction * number of different users) users: here round({world.test_fraction} * {len(users)})."
    if len(test) == len(users) - wanted:
        slip = "The mask is the wrong way round: True is held out."
    elif len(test) < wanted and len(set(numbers_held_out(seen["draws"], world.unequal))) > 1:
        slip = DRAWN_TWICE
    yield expect_equal(len(test), wanted, call="the number of users that are held out", slip=slip)
    slip = "Draw the users from the generator that is passed in: rng.choice(users, n, replace=False)."
    yield expect(
        np.array_equal(seen["again"], mask),
        call="hold_out_users(...) with a new generator of the same seed",
        came_back="other users",
        expected="the same users",
        slip=slip,
    )
    yield expect(
        not np.array_equal(seen["other"], mask),
        call="hold_out_users(...) with a generator of another seed",
        came_back="the same users",
        expected="other users",
        slip=slip,
    )
    saw = f"{wanted} of {len(users)} users are held out, each with all interactions."
    yield from drawn_evenly(seen["draws"], world.unequal, saw)


DRAWN_TWICE = "A user can be drawn twice there, and then fewer are held out: rng.choice(users, n, replace=False)."


def numbers_held_out(draws, user_ids: np.ndarray) -> np.ndarray:
    """How many users each draw (DRAWS, n) holds out; none if the draws are unusable."""
    if np.shape(draws) != (DRAWS, len(user_ids)):
        return np.zeros(0, dtype=int)
    return np.asarray(draws)[:, np.unique(user_ids, return_index=True)[1]].sum(axis=1)


def drawn_evenly(draws, user_ids: np.ndarray, saw: str):
    """Findings about many draws (DRAWS, n): the same number of users in each, and every user as often as others."""
    users, first, sizes = np.unique(user_ids, return_index=True, return_counts=True)
    wanted = round(UNEQUAL_FRACTION * len(users))
    call = f"hold_out_users(...) {DRAWS} times, for {N_BUSY} busy users and {N_QUIET} quiet ones"
    slip = "One True or False for every interaction."
    yield expect_array(draws, shape=(DRAWS, len(user_ids)), kind="b", call=call, slip=slip)
    held_out = np.asarray(draws)[:, first]  # (DRAWS, users)
    counts, slip = numbers_held_out(draws, user_ids), DRAWN_TWICE
    if counts.max() > wanted:
        slip = "A lot for each user on its own holds out now more of them, now fewer: draw so many of the users."
    yield expect(
        bool((counts == wanted).all()),
        call=call,
        came_back=f"{counts.min()} to {counts.max()} users held out",
        expected=f"{wanted} users each time",
        slip=slip,
    )
    share = wanted / len(users)
    often, spread = held_out.mean(axis=0), (share * (1 - share) / DRAWS) ** 0.5
    busy = sizes == sizes.max()
    yield expect(
        bool((np.abs(often - share) < TOO_OFTEN * spread).all()),
        call=call,
        came_back=f"busy users are held out in {often[busy].mean():.0%} of the draws, quiet ones in "
        f"{often[~busy].mean():.0%}",
        expected=f"every user in about {share:.0%}",
        slip="Some users are drawn more often than others: draw from the different users, np.unique(user_ids), each of "
        "them once, and not from the interactions.",
        saw=saw,
    )


def batch_world(rng: np.random.Generator) -> World:
    """Windows of 5 to 8 items, some short; one of them holds a single item."""
    n, length = int(rng.integers(6, 10)), int(rng.integers(5, 9))
    windows = rng.integers(1, 60, (n, length))
    windows[0, :-1] = 0
    windows[1, : length // 2] = 0
    return World(public={"windows": windows})


@check(points=1, call="inputs_and_targets(windows)", world=batch_world)
def inputs_and_targets(inputs_and_targets, world):
    """What a model may see of each window, and the item that it has to name."""
    import torch

    answer = inputs_and_targets(torch.as_tensor(world.windows).clone())
    return returned(answer, "inputs", "targets")


@inputs_and_targets.judge
def _(seen, world):
    yield expect_returned(seen, "two tensors: inputs (B, L - 1) and targets (B,)")
    n, length = world.windows.shape
    right = np.array([row[:-1] for row in world.windows.tolist()])
    last = np.array([row[-1] for row in world.windows.tolist()])
    slips = {
        "The target is left in the input: a model that copies its last input would be perfect, and know nothing.": (
            world.windows
        ),
        "The oldest item is cut off, and the target left in the input: cut off the newest.": world.windows[:, 1:],
        "The target is left in the input, at its end: take the last column away.": np.column_stack(
            [np.zeros(n), world.windows[:, 1:]]
        ),
    }
    slip = likely(seen["inputs"], slips, "All columns but the last, in their order, padding included.")
    yield expect_equal(seen["inputs"], right, call="inputs_and_targets(windows)[0]", slip=slip)
    slip = "The target of a window is its last item."
    if np.shape(seen["targets"]) == (n, 1):
        slip = "That is a column, (B, 1): windows[:, -1] is (B,)."
    elif np.shape(seen["targets"]) == (n, length - 1):
        slip = "One target a window, its last item: here, no item in between is predicted."
    elif np.array_equal(seen["targets"], world.windows[:, 0]):
        slip = "That is the oldest item of each window: the newest is in the last column."
    yield expect_equal(
        seen["targets"],
        last,
        call="inputs_and_targets(windows)[1]",
        slip=slip,
        saw=f"{n} windows of {length}: {length - 1} items in, one target each, which is not among the inputs.",
    )
