"""Lesson 00: dense ids, and the rows that have none."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect_array, expect_equal, expect_returned, likely, returned
from course_utils.checks.framework import World, check
from course_utils.checks.tables import frame, raw_ids, table_rows


def ids_world(rng: np.random.Generator) -> World:
    n_distinct = int(rng.integers(6, 12))
    ids = []
    for new in range(n_distinct):  # each new number comes once, then up to three earlier ones again
        ids += [new, *rng.integers(0, new + 1, rng.integers(0, 4))]
    counts = np.bincount(ids)
    more = (
        counts.max() + 1 + np.arange(n_distinct) - counts
    )  # in the end, the later an id appears, the more frequent it is
    ids += rng.permutation(np.repeat(np.arange(n_distinct), more)).tolist()
    raw_of = raw_ids(rng, n_distinct)
    return World(
        public={"raw": raw_of[ids], "same": raw_of[[0, 0, 0]]}, secret={"ids": np.array(ids), "raw_of": raw_of}
    )


@check(points=2, call="dense_ids(raw_ids)", world=ids_world)
def dense_ids(dense_ids, world):
    """Ids from 0 by first appearance, and the way back."""
    names = "ids", "raw_of"
    return returned(dense_ids(world.raw.copy()), *names) | returned(dense_ids(world.same.copy()), *names, case="_same")


@dense_ids.judge
def _(seen, world):
    yield expect_returned(seen, "2 values: ids, raw_of")
    in_order = np.sort(world.raw_of)
    slip = "One whole number for each row, in the order of the rows."
    yield expect_array(seen["ids"], shape=world.ids.shape, kind="iu", slip=slip)
    mistakes = {
        "Those are numbered by size; the order of first appearance is asked for.": np.searchsorted(in_order, world.raw),
        "Those are numbered by how often they occur; the order of first appearance is asked for.": world.ids.max()
        - world.ids,
        "Dense ids start at 0, so that they can index the rows of a table.": world.ids + 1,
        "Those are places in the column: a raw id that was seen before keeps its number.": np.arange(len(world.ids)),
    }
    slip = likely(seen["ids"], mistakes, "A raw id seen before keeps its number; a new one gets the next number.")
    yield expect_equal(seen["ids"], world.ids, slip=slip)
    yield expect_equal(
        seen["raw_of"],
        world.raw_of,
        call="raw_of, the second value of dense_ids(raw_ids)",
        slip="raw_of has one entry for each distinct id, in order of first appearance: raw_of[ids] equals raw_ids.",
        saw=f"{len(world.raw)} rows hold {len(world.raw_of)} distinct ids: numbered as they appear, and led back.",
    )
    same = "dense_ids of a column that holds one id three times"
    yield expect_equal(seen["ids_same"], [0, 0, 0], call=same, slip="A raw id seen before keeps its number.")
    yield expect_equal(
        seen["raw_of_same"], world.same[:1], call=same, slip="raw_of has one entry for each distinct id."
    )


N_USERS, N_KNOWN_USERS = 12, 8
N_ITEMS, N_KNOWN_ITEMS = 14, 9


def validation_world(rng: np.random.Generator) -> World:
    user_known = np.repeat([True, True, False, False], [11, rng.integers(2, 5), rng.integers(2, 5), 2])
    n = len(user_known)
    item_known = user_known.copy()
    item_known[11:-2] = ~item_known[11:-2]  # 11 rows both known, some with one unseen, 2 with both unseen
    users = np.where(user_known, rng.integers(0, N_KNOWN_USERS, n), rng.integers(N_KNOWN_USERS, N_USERS, n))
    items = np.where(item_known, rng.integers(0, N_KNOWN_ITEMS, n), rng.integers(N_KNOWN_ITEMS, N_ITEMS, n))
    rows = table_rows(rng, users, items)
    users, items = rows[:, 0].astype(int), rows[:, 1].astype(int)
    known = (users < N_KNOWN_USERS) & (items < N_KNOWN_ITEMS)
    raw_users, raw_items = raw_ids(rng, N_USERS), raw_ids(rng, N_ITEMS)
    user_ids, item_ids = rng.permutation(N_KNOWN_USERS), rng.permutation(N_KNOWN_ITEMS)
    one, other = np.flatnonzero(known)[:2]  # the dense id 0 is among the rows that stay
    users[one], items[other] = np.flatnonzero(user_ids == 0)[0], np.flatnonzero(item_ids == 0)[0]
    rows[:, 0], rows[:, 1] = raw_users[users], raw_items[items]
    public = {"rows": rows, "seen": rows[known], "unseen": rows[~known]}
    public |= {"raw_users": raw_users[:N_KNOWN_USERS], "user_ids": user_ids}
    public |= {"raw_items": raw_items[:N_KNOWN_ITEMS], "item_ids": item_ids}
    secret = {"users": user_ids[users[known]], "items": item_ids[items[known]]}
    secret["n_unseen_ids"] = int((users >= N_KNOWN_USERS).sum() + (items >= N_KNOWN_ITEMS).sum())
    return World(public=public, secret=secret)


@check(points=2, call="encode_validation(valid, user_ids, item_ids)", world=validation_world)
def encode_validation(encode_validation, world):
    """Validation rows in the training set's numbers; rows with an unseen user or item dropped and counted."""
    seen = {}
    for case, rows in (("", world.rows), ("_seen", world.seen), ("_unseen", world.unseen)):
        user_ids = dict(zip(world.raw_users.tolist(), world.user_ids.tolist(), strict=True))
        item_ids = dict(zip(world.raw_items.tolist(), world.item_ids.tolist(), strict=True))
        seen |= returned(encode_validation(frame(rows), user_ids, item_ids), "users", "items", "dropped", case=case)
    return seen


@encode_validation.judge
def _(seen, world):
    n, n_kept = len(world.rows), len(world.seen)
    yield expect_returned(seen, "3 values: dense user ids, dense item ids, number of rows dropped")
    slip = "A row with an unseen user or an unseen item leaves both arrays, so that they stay pairs."
    if np.shape(seen["users"]) == np.shape(seen["items"]) == (n,):
        slip = "No row was dropped: nothing was learnt about unseen users and items, and they have no number."
    elif np.size(seen["users"]) < n_kept:
        slip = (
            "Rows with a known user and a known item are missing, too: 0 is an id like any other, and the dicts' keys "
        )
        slip += "are the raw ids."
    yield expect_array(seen["users"], shape=(n_kept,), slip=slip)
    yield expect_array(seen["items"], shape=(n_kept,), slip=slip)
    for which, name, expected in (("first", "users", world.users), ("second", "items", world.items)):
        call = f"the {which} value of encode_validation(valid, user_ids, item_ids)"
        whole = "Dense ids are whole numbers: a column with missing values turns to floats, so cast it after dropping."
        yield expect_array(seen[name], shape=(n_kept,), kind="iu", call=call, slip=whole)
        slip = (
            "Look the ids up in the two dicts and keep the order of the rows; the validation set gets no new numbers."
        )
        if name == "users" and np.array_equal(seen["users"], world.items):
            slip = "Those are the item ids: users come first."
        yield expect_equal(seen[name], expected, call=call, slip=slip)
    mistakes = {
        "A row whose user and item are both unseen is one dropped row, not two.": world.n_unseen_ids,
        "That is the number of rows kept.": n_kept,
    }
    slip = likely(seen["dropped"], mistakes, "Rows given less rows kept.")
    saw = f"{n_kept} of {n} rows encoded, {n - n_kept} dropped and counted."
    call = "the third value of encode_validation(valid, user_ids, item_ids)"
    yield expect_equal(seen["dropped"], n - n_kept, call=call, slip=slip, saw=saw)
    call = "encode_validation of rows without an unseen id"
    yield expect_equal(seen["users_seen"], world.users, call=call, slip="Every row stays.")
    yield expect_equal(seen["items_seen"], world.items, call=call, slip="Every row stays.")
    yield expect_equal(seen["dropped_seen"], 0, call=call, slip="No row is dropped.")
    call = "encode_validation of rows that all have an unseen id"
    yield expect_array(seen["users_unseen"], shape=(0,), call=call, slip="Both arrays are empty then.")
    yield expect_array(seen["items_unseen"], shape=(0,), call=call, slip="Both arrays are empty then.")
    yield expect_equal(seen["dropped_unseen"], n - n_kept, call=call, slip="Every row is dropped, and counted.")
