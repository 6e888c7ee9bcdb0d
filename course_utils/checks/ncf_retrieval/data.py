"""Lesson 02: users drawn at random, and the latest row of each held back."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_equal, expect_returned, format_value, returned
from course_utils.checks.framework import World, check
from course_utils.checks.ncf_retrieval.worlds import worth
from course_utils.checks.observation import Unusable
from course_utils.checks.tables import (
    FIRST_SECOND,
    LAST_SECOND,
    STARS,
    by_position,
    frame,
    raw_ids,
    rows_of,
    table_rows,
)

USER, ITEM, RATING, TIME, POSITION = range(5)
N_DRAWS = 300
"""Draws of a quarter of the users, to see whether all are drawn equally often."""
UNEVEN = 5.0
"""Standard deviations by which a user's count may be off: of 12 users' counts, by luck less than once in 10^5 checks.
A draw that follows the number of rows is off by more than eight."""
A_TABLE = "Return a part of the table, with all its columns."


def users_world(rng: np.random.Generator) -> World:
    """Forty users, some with many rows and some with two; the share gives a number of users that has to be rounded.

    And twelve users, half of them with one row and half with twenty, to draw a quarter of again and again.
    """
    n_users = int(rng.integers(41, 49))
    users = np.repeat(raw_ids(rng, n_users), rng.choice([2, 3, 4, 30], n_users))
    n = len(users)
    times = rng.integers(FIRST_SECOND, LAST_SECOND, n)
    items = rng.choice(raw_ids(rng, 400), n)
    rows = rng.permutation(np.column_stack([users, items, rng.choice(STARS, n), times, np.arange(n)]), axis=0)
    few_users = np.repeat(raw_ids(rng, 12), rng.permutation([1, 20] * 6))
    few_rows = table_rows(rng, few_users, np.arange(len(few_users)))
    seeds = rng.choice(10_000, 2, replace=False)
    public = {"rows": rows, "few_rows": few_rows, "share": 0.3, "seed": int(seeds[0]), "other_seed": int(seeds[1])}
    return World(public=public)


@check(points=1, call="sample_users(ratings, share, rng)", world=users_world)
def sample_users(sample_users, world):
    """All rows of a share of the users, who are drawn evenly."""
    seen = {}
    for case, seed, share in (
        ("", world.seed, world.share),
        ("_again", world.seed, world.share),
        ("_other", world.other_seed, world.share),
        ("_all", world.seed, 1.0),
    ):
        table = sample_users(frame(world.rows), share, np.random.default_rng(seed))
        seen["rows" + case], seen["type" + case] = rows_of(table), type(table).__name__
    few, rng = frame(world.few_rows), np.random.default_rng(world.seed)
    drawn = [rows_of(sample_users(few.copy(), 0.25, rng)) for _ in range(N_DRAWS)]
    drawn = [np.unique(rows[:, USER]) for rows in drawn if rows is not None]
    seen["often"] = np.concatenate([np.empty(0), *drawn])
    return seen


@sample_users.judge
def _(seen, world):
    everybody, n_rows = np.unique(world.rows[:, USER], return_counts=True)
    wanted = round(world.share * len(everybody))
    for case in ("", "_all", "_other", "_again"):
        if isinstance(seen["rows" + case], Unusable):
            came_back = f"a {seen['type' + case]}"
            yield Finding(0, came_back=came_back, expected="a table with the columns of ratings", slip=A_TABLE)
    got = seen["rows"]
    drawn, n_drawn = np.unique(got[:, USER], return_counts=True)
    there = np.isin(drawn, everybody)
    whole = there.all() and np.array_equal(n_drawn, n_rows[np.searchsorted(everybody, drawn[there])])
    slip = "Draw users, not rows: whoever is drawn comes with all of their rows."
    yield expect(
        whole and len(np.unique(got[:, POSITION])) == len(got),
        came_back=f"{len(got)} rows of {len(drawn)} users, not all of whose rows are there once",
        expected="every row of each drawn user, once",
        slip=slip,
    )
    slip = f"round(share * n_users) users: {world.share:g} of {len(everybody)} different users."
    if len(drawn) < wanted:
        slip += " A draw from the rows' column has users several times: draw from the different ones, without repeats."
    yield expect(len(drawn) == wanted, came_back=f"{len(drawn)} users", expected=f"{wanted} users", slip=slip)
    inside = np.unique(seen["rows_other"][:, USER])
    yield expect(
        not np.array_equal(drawn, inside),
        call="sample_users(ratings, share, rng), with generators of two seeds",
        came_back=f"the same {len(drawn)} users twice",
        expected="other users",
        slip="The draw comes from rng: a fixed seed inside, or the first users of the table, are always the same.",
    )
    yield expect(
        np.array_equal(drawn, np.unique(seen["rows_again"][:, USER])),
        call="sample_users(ratings, share, rng), with generators of the same seed twice",
        came_back="other users",
        expected="the same users",
        slip="All randomness comes from rng, so that a seed settles the draw.",
    )
    got_all = seen["rows_all"]
    yield expect_equal(
        got_all,
        by_position(world.rows),
        call="sample_users(ratings, 1.0, rng), sorted by position",
        slip="A share of 1 is everybody, and the rows themselves stay as they are.",
    )
    users, n_rows = np.unique(world.few_rows[:, USER], return_counts=True)
    counts = (np.asarray(seen["often"])[:, None] == users).sum(axis=0)
    off = (counts - N_DRAWS / 4) / np.sqrt(N_DRAWS * 0.25 * 0.75)
    slip = "Each user is as likely as any other."
    if counts[n_rows > 1].min() > counts[n_rows == 1].max():
        slip += " Drawn from the rows, whoever has many rows comes more often: draw from the different users instead."
    yield expect(
        bool((np.abs(off) < UNEVEN).all()),
        call=f"sample_users(ratings, 0.25, rng) {N_DRAWS} times, on 12 users with 1 or 20 rows each",
        came_back=f"users with 1 row drawn {counts[n_rows == 1].mean():.0f} times on average, those with 20 rows "
        f"{counts[n_rows > 1].mean():.0f} times; single users {counts.min()} to {counts.max()} times",
        expected=f"each about {N_DRAWS / 4:.0f} times",
        slip=slip,
        saw=f"{wanted} of {len(everybody)} users, each with all of their rows, and rng decides who.",
    )


def latest_world(rng: np.random.Generator) -> World:
    """Most users share their last second among several rows; neither the table nor positions are in order of time."""
    sizes = rng.integers(4, 9, 24)
    users, rows = raw_ids(rng, len(sizes)), []
    for user, size in zip(users, sizes, strict=True):
        times = FIRST_SECOND + np.sort(rng.choice(LAST_SECOND - FIRST_SECOND, size, replace=False))
        n_tied = int(rng.integers(1, 4))  # rows in the last second
        times[-n_tied:] = times[-1]
        rows.append(np.column_stack([np.full(size, user), times]))
    rows = rng.permutation(np.concatenate(rows), axis=0)
    n = len(rows)
    items = rng.choice(raw_ids(rng, n), n, replace=False)
    table = np.column_stack([rows[:, 0], items, rng.choice(STARS, n), rows[:, 1], rng.permutation(n)])
    while True:  # the first, the last and the lowest of tied rows differ from the right one for somebody
        order = rng.permutation(n)
        if mistakes_show(table[order]):
            return World(public={"rows": table[order], "again": rng.permutation(table, axis=0)})


def latest(rows: np.ndarray, slip: str = "") -> np.ndarray:
    """(n_users,) the position of each user's latest row, users in ascending order, found row by row."""
    found = {}
    for place, row in enumerate(rows.tolist()):
        keys = {
            "": (row[TIME], row[POSITION]),
            "first of a second": (row[TIME], -row[POSITION]),
            "last row of a second": (row[TIME], place),
            "first row of a second": (row[TIME], -place),
            "position": (row[POSITION],),
            "last row": (place,),
            "first row": (-place,),
            "earliest": (-row[TIME], -row[POSITION]),
            "earliest and last": (-row[TIME], row[POSITION]),
            "stars": (row[RATING], row[TIME], row[POSITION]),
        }
        key = keys[slip]
        if row[USER] not in found or key > found[row[USER]][0]:
            found[row[USER]] = (key, row[POSITION])
    return np.array([found[user][1] for user in sorted(found)])


TIES = "Of a user's rows in the last second, the one with the largest position is the latest: sort by both columns."
SPLIT_SLIPS = {
    "first of a second": TIES + " Yours are the smallest positions.",
    "last row of a second": TIES + " Yours are the lowest in the table, whose order says nothing.",
    "first row of a second": TIES + ' Yours are the topmost in the table, as rank(method="first", ascending=False) '
    "and idxmax choose.",
    "position": "That is the last position of each user, not the latest timestamp: the file is not in order of time.",
    "last row": "That is the last row of each user in the table, whose order says nothing: sort by timestamp first.",
    "first row": "That is the first row of each user in the table, whose order says nothing: sort by timestamp first.",
    "earliest": "Those are the earliest rows: the split is to be made at the other end of time.",
    "earliest and last": "Those are the earliest rows: the split is to be made at the other end of time.",
    "stars": "Those are the rows with the most stars: what is held back is the latest, whatever its stars.",
}


def mistakes_show(rows: np.ndarray) -> bool:
    wrong = [latest(rows, slip).tolist() for slip in SPLIT_SLIPS if slip != "earliest and last"]
    return latest(rows).tolist() not in wrong and len({tuple(one) for one in wrong}) == len(wrong)


@check(points=2, call="leave_latest_out(ratings)", world=latest_world)
def leave_latest_out(leave_latest_out, world):
    """The latest row of every user is the test set; of equal seconds, the largest position."""
    seen = {}
    for case, rows in (("", world.rows), ("_again", world.again)):
        table = frame(rows)
        answer = returned(leave_latest_out(table), "train", "test", case=case)
        answer["unchanged" + case] = table.equals(frame(rows))
        for part in ("train" + case, "test" + case):
            answer[part] = rows_of(answer.get(part))
        seen |= answer
    return seen


@leave_latest_out.judge
def _(seen, world):
    yield expect_returned(seen, "2 values: train, test")
    tables = not any(isinstance(seen[part], Unusable) for part in ("train", "test", "train_again", "test_again"))
    slip = "Return two parts of the table with all its columns."
    yield expect(
        tables, came_back=str(seen["returned"]), expected="two DataFrames with the columns of ratings", slip=slip
    )
    n_users = len(np.unique(world.rows[:, USER]))
    test, train = seen["test"], seen["train"]
    users, counts = np.unique(test[:, USER], return_counts=True)
    slip = "Exactly one row of every user is held back."
    if len(train) == n_users < len(test):
        slip = "The two parts are in the other order: train first, then test."
    elif (counts > 1).any():
        slip += " All rows of the last second are too many, and so is a fixed share of all rows: pick one a user."
    elif len(users) < n_users:
        slip += " A random share of the rows, or the latest rows of all, leaves users out."
    yield expect(
        len(users) == n_users and (counts == 1).all(),
        call="the users of test after train, test = leave_latest_out(ratings)",
        came_back=f"{len(test)} rows of {len(users)} users",
        expected=f"{n_users} rows, one of each of the {n_users} users",
        slip=slip,
    )
    call = "the positions of test, users in ascending order, after train, test = leave_latest_out(ratings)"
    wanted = latest(world.rows)
    got = test[np.argsort(test[:, USER], kind="stable"), POSITION]
    slip = slip_of_split(got, world.rows)
    yield expect_equal(got, wanted, call=call, slip=slip)
    again = seen["test_again"]
    yield expect(
        np.array_equal(np.sort(again[:, POSITION]), np.sort(wanted)),
        call="leave_latest_out(ratings), with the rows of the table in another order",
        came_back=f"positions {format_value(np.sort(again[:, POSITION]))}",
        expected=f"the same ones as before: {format_value(np.sort(wanted))}",
        slip=TIES + " Then neither the order of the table nor the sort's algorithm has a say.",
    )
    in_train = np.sort(train[:, POSITION])
    yield expect_equal(
        in_train,
        np.setdiff1d(world.rows[:, POSITION], wanted),
        call="the positions of train, in ascending order",
        slip="The training set holds all other rows, each once: a row in both parts gives the answer away.",
    )
    yield expect_equal(
        by_position(np.concatenate([train, test])),
        by_position(world.rows),
        call="the rows of both parts",
        slip="The rows themselves stay as they are.",
    )
    slip = (
        "The caller goes on with `ratings`: no inplace=True and no new column in it. sort_values returns a new table."
    )
    unchanged = expect(
        bool(seen["unchanged"]) and bool(seen["unchanged_again"]),
        call="leave_latest_out(ratings), looking at ratings afterwards",
        came_back="a table that has changed",
        expected="the table as it was passed in",
        slip=slip,
    )
    yield worth(0.5, unchanged, "The split is right.")
    yield Finding(
        1,
        saw=f"The latest row of each of {n_users} users, and of rows in the same second the one that comes last.",
    )


def slip_of_split(got: np.ndarray, rows: np.ndarray) -> str:
    for slip, words in SPLIT_SLIPS.items():
        if np.array_equal(got, latest(rows, slip)):
            return words
    second = {row[POSITION]: row[TIME] for row in rows.tolist()}
    right = latest(rows)
    if all(second.get(one) == second[other] for one, other in zip(got.tolist(), right.tolist(), strict=True)):
        return TIES + " An unstable sort picks any of them."
    return "The split is by time: the row with the largest timestamp of each user, and no random one."
