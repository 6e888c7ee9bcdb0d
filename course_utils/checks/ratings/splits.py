"""Lesson 00: the split by time, and what a random one leaks."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import (
    expect,
    expect_array,
    expect_close,
    expect_equal,
    expect_returned,
    likely,
    returned,
)
from course_utils.checks.framework import World, check
from course_utils.checks.observation import Unusable
from course_utils.checks.tables import FIRST_SECOND, LAST_SECOND, STARS, by_position, frame, raw_ids, rows_of

TIED = np.array([2, 0, 4, 1, 3])
"""Where the rows of the second that the split cuts through stand in the table: neither its first nor its last are
the latest two."""


def split_world(rng: np.random.Generator) -> World:
    groups = [*rng.integers(1, 5, 8), 5, *rng.integers(1, 3, 4)]  # rows that share a second; the cut goes through the 5
    n = sum(groups)
    times = np.repeat(np.sort(rng.choice(np.arange(FIRST_SECOND, LAST_SECOND), len(groups), replace=False)), groups)
    positions = rng.permutation(n)
    order = np.lexsort([positions, times])
    users, items = rng.choice(raw_ids(rng, 6), n), rng.choice(raw_ids(rng, 60), n, replace=False)
    in_time = np.column_stack([users, items, rng.choice(STARS, n), times, positions[order]])
    tied = slice(sum(groups[:8]), sum(groups[:8]) + 5)
    shuffled = rng.permutation(n)
    shuffled[np.sort(np.flatnonzero((shuffled >= tied.start) & (shuffled < tied.stop)))] = tied.start + TIED
    public = {"rows": in_time[shuffled], "again": rng.permutation(in_time, axis=0), "n_test": n - tied.start - 3}
    return World(public=public, secret={"in_time": in_time})


@check(points=2, call="split_by_time(ratings, n_test)", world=split_world)
def split_by_time(split_by_time, world):
    """The latest rows are the test set; rows of the same second count in order of position."""
    seen = {}
    for case, rows, n_test in (
        ("", world.rows, world.n_test),
        ("_again", world.again, world.n_test),
        ("_0", world.rows, 0),
    ):
        answer = returned(split_by_time(frame(rows), int(n_test)), "train", "test", case=case)
        for part in ("train" + case, "test" + case):
            answer[part] = rows_of(answer.get(part))
        seen |= answer
    return seen


@split_by_time.judge
def _(seen, world):
    n, n_test = len(world.rows), world.n_test
    train, test = by_position(world.in_time[: n - n_test]), by_position(world.in_time[n - n_test :])
    yield expect_returned(seen, "2 values: train, test")
    tables = not any(isinstance(seen[part], Unusable) for part in ("train", "test"))
    slip = "Return two parts of the table with all its columns."
    yield expect(
        tables, came_back=str(seen["returned"]), expected="two DataFrames with the columns of ratings", slip=slip
    )
    sizes = f"{len(seen['train'])} and {len(seen['test'])} rows"
    slip = f"The test set holds exactly n_test = {n_test} rows, and the training set all others."
    if (len(seen["train"]), len(seen["test"])) == (n_test, n - n_test):
        slip = "The two parts are in the other order: train first, then test."
    elif len(seen["test"]) != n_test:
        slip += " A cut at a second moves all rows of that second to one side: sort, and count."
    right_sizes = (len(seen["train"]), len(seen["test"])) == (n - n_test, n_test)
    yield expect(right_sizes, came_back=sizes, expected=f"{n - n_test} and {n_test} rows", slip=slip)
    positions = "the positions of test after train, test = split_by_time(ratings, n_test)"
    yield expect_equal(seen["test"][:, 4], test[:, 4], call=positions, slip=split_slip(seen, world))
    saw = f"The latest {n_test} of {n} rows, with the second that the cut goes through parted by position."
    yield expect_equal(seen["test"], test, slip="The rows themselves stay as they are.", saw=saw)
    yield expect_equal(seen["train"], train, slip="The training set holds every row that is not in the test set.")
    again = "split_by_time of the same rows in another order"
    slip = "The order in which the rows stand in the table must not matter."
    yield expect_equal(seen["test_again"], test, call=again, slip=slip)
    zero = "split_by_time(ratings, 0)"
    slip = "No row is held back. Mind that rows[-0:] is rows[0:], that is all of them."
    yield expect_array(seen["test_0"], shape=(0, 5), call=zero, slip=slip)
    yield expect_array(seen["train_0"], shape=(n, 5), call=zero, slip=slip)


def split_slip(seen, world) -> str:
    """Why other rows than the latest may have come back."""
    test, n_test = seen["test"], world.n_test
    latest = world.in_time[-n_test:]
    if np.array_equal(np.sort(test[:, 3]), np.sort(latest[:, 3])):
        return "The seconds are right, the rows are not: of rows that share a second, the larger position is the later."
    if np.array_equal(np.sort(test[:, 3]), world.in_time[:n_test, 3]):
        return "Those are the earliest rows: the test set holds the latest."
    if np.array_equal(test, by_position(world.in_time)[-n_test:]):
        return "Those are the last rows of the file: sort by timestamp first, and by position within a second."
    return "Put all rows in order of (timestamp, position); the last n_test of them are the test set."


def leak_world(rng: np.random.Generator) -> World:
    n_users = int(rng.integers(5, 8))
    users = raw_ids(rng, n_users + 3)  # three are unseen in training
    first = rng.integers(FIRST_SECOND, FIRST_SECOND + 10**6, n_users)
    last = first + 2 * 10**6 * np.arange(1, n_users + 1)
    train_users = np.repeat(np.arange(n_users), 4)
    inside = rng.integers(first[train_users] + 10, last[train_users] - 10)
    kind = np.arange(4 * n_users) % 4
    train_times = np.where(kind == 0, first[train_users], np.where(kind == 1, last[train_users], inside))

    counts = rng.integers([4, 1, 2, 3, 2], [7, 4, 4, 6, 4])
    while len({*leak_mistakes(counts).values(), counts[:2].sum() / counts.sum()}) <= len(leak_mistakes(counts)):
        counts = rng.integers([4, 1, 2, 3, 2], [7, 4, 4, 6, 4])  # so that each mistake can be told by its result
    kind = np.repeat(np.arange(5), counts)
    who = rng.integers(0, n_users - 1, len(kind))  # not the last user, whose last training rating is the latest of all
    between = rng.integers(first[who] + 10, last[who] - 10)
    times = np.choose(kind, [between, first[who] - 100, last[who], last[who] + 100, between])
    test_users = np.where(kind == 4, users[n_users + who % 3], users[who])

    def rows(user_ids, timestamps):
        n = len(user_ids)
        columns = [user_ids, rng.integers(1, 500, n), rng.choice(STARS, n), timestamps, rng.permutation(n)]
        return np.column_stack(columns)

    # a user's last row in the table is their earliest rating, and neither that nor their first row the latest
    turns = np.concatenate([rng.permutation(n_users) * 4 + turn for turn in (2, 1, 3, 0)])
    public = {"train": rows(users[train_users], train_times)[turns]}
    for name, some in (("test", kind < 5), ("leaking", kind < 2), ("later", kind >= 2)):
        public[name] = rng.permutation(rows(test_users[some], times[some]), axis=0)
    return World(public=public, secret={"counts": counts})


def leak_mistakes(counts: np.ndarray) -> dict[str, float]:
    """Slip -> its result, from the numbers of test ratings between the training ratings of their user, before them all,
    in the second of the last, after them all, and of unseen users."""
    between, before, equal, after, unseen = counts
    n, leaked = counts.sum(), between + before
    return {
        "That is the user's last row in train; rows stand in any order, so take the largest timestamp.": before / n,
        "A rating of the same second is not a later one.": (leaked + equal) / n,
        "Ratings of unseen users leak nothing, but they are test ratings: keep them in the total.": leaked
        / (n - unseen),
        "Those have an earlier training rating of their user; a later one is asked for.": (between + equal + after) / n,
        "Compare with the training ratings of the same user, not with those of everyone.": 1.0,
        "That is the share that does not leak.": 1 - leaked / n,
        "That is a number of ratings; a share lies between 0 and 1.": leaked,
        "That is a percentage; a share lies between 0 and 1.": 100 * leaked / n,
    }


@check(points=2, call="leaked_share(train, test)", world=leak_world)
def leaked_share(leaked_share, world):
    """The share of test ratings whose user has a later rating in the training set."""
    tests = {"share": world.test, "later": world.later, "leaking": world.leaking}
    return {case: leaked_share(frame(world.train), frame(rows)) for case, rows in tests.items()}


@leaked_share.judge
def _(seen, world):
    n, leaked, equal, unseen = world.counts.sum(), world.counts[:2].sum(), world.counts[2], world.counts[4]
    slip = "For each test rating: is the last training second of its user larger?"
    slip = likely(seen["share"], leak_mistakes(world.counts), slip)
    saw = f"{leaked} of {n} test ratings leak; {equal} of the same second and {unseen} of unseen users don't."
    yield expect_close(seen["share"], leaked / n, slip=slip, saw=saw)
    yield expect_close(seen["later"], 0.0, call="leaked_share where no test rating leaks", slip=slip)
    yield expect_close(seen["leaking"], 1.0, call="leaked_share where every test rating leaks", slip=slip)
