"""Lesson 04: ids both ways, and ratings as a Dataset."""

from __future__ import annotations

import numpy as np

from course_utils.checks.blame import message_of
from course_utils.checks.expect import Finding, expect, expect_array, expect_close, expect_equal, format_value
from course_utils.checks.framework import World, check
from course_utils.checks.tables import frame, raw_ids, table_rows


def ids_world(rng: np.random.Generator) -> World:
    """A column of ids with gaps and repeats, the same column as strings, and columns with unseen ids among the seen."""
    n = int(rng.integers(9, 14))
    ids = raw_ids(rng, n)
    raw = ids[rng.permutation(np.concatenate([np.arange(n), rng.integers(0, n, 12)]))]
    unseen = np.array([ids.min() - 3, ids.max() + 5, next(i for i in range(12, 10**6) if i not in ids)])
    where = np.array([1, 4, 5])  # unseen ids stand between seen ones
    mixed = np.insert(ids[:5], [1, 3, 3], unseen)
    public = {"raw": raw, "mixed": mixed, "raw_text": texts(raw), "mixed_text": texts(mixed)}
    return World(public=public, secret={"where": where, "n": n})


def texts(ids: np.ndarray) -> np.ndarray:
    """The same ids as another site might write them."""
    return np.array([f"tt{number}x" for number in ids])


@check(
    points=2,
    call="TwoWayIds(raw_ids)",
    world=ids_world,
    hints={
        "KeyError": "An id that was not in the column has no entry: answer -1 for it, as dict.get(raw, -1) does.",
        "IndexError": "decode gets dense ids, 0 to n - 1: keep one raw id for each of them, in that order.",
        "ValueError": "Raw ids may be strings, and encode may meet ids that were not in the column.",
        "TypeError": "Raw ids may be strings: do not calculate with them. A class needs __len__, encode and decode.",
    },
)
def two_way_ids(TwoWayIds, world):
    """Raw ids to dense ones and back, whole numbers or strings, and -1 for what was never seen."""
    seen = both_ways(TwoWayIds, world.raw, world.mixed, "")
    try:
        return seen | both_ways(TwoWayIds, world.raw_text, world.mixed_text, "_text")
    except Exception as problem:  # what was wrong with whole numbers already is said first
        return seen | {"raised": f"{type(problem).__name__}: {message_of(problem)}"}


def both_ways(TwoWayIds, raw: np.ndarray, mixed: np.ndarray, case: str) -> dict:
    ids = TwoWayIds(raw.copy())
    seen = {"n": len(ids), "dense": ids.encode(raw.copy()), "mixed": ids.encode(mixed.copy())}
    back = ids.decode(np.arange(len(set(raw.tolist()))))
    is_column = hasattr(back, "__iter__") and not isinstance(back, str | dict | set)
    seen["back"] = np.array([str(one) for one in back], dtype=str) if is_column else back
    return {name + case: value for name, value in seen.items()}


@two_way_ids.judge
def _(seen, world):
    for case, kind in (("", "whole numbers"), ("_text", "strings")):
        raw, mixed = getattr(world, "raw" + case), getattr(world, "mixed" + case)
        n, call = world.n, f"of a column of {kind}"
        if case and isinstance(seen["raised"], np.ndarray):
            slip = "Raw ids may be strings: look them up, do not calculate with them."
            call = "TwoWayIds(raw_ids), encode and decode for strings"
            yield Finding(0, call=call, came_back=str(seen["raised"]), expected="the same as for numbers", slip=slip)
        slip = "One number for each different id: repeats do not count twice."
        if case == "" and np.shape(seen["n"]) == () and seen["n"] == raw.max() - raw.min() + 1:
            slip = "That counts the gaps in as well: only ids that occur are numbered."
        yield expect_equal(seen["n" + case], n, call=f"len(TwoWayIds(raw_ids)) {call}", slip=slip)
        call_encode = f"ids.encode(raw_ids) {call}"
        slip = "One whole number for each id of the column, in its order."
        yield expect_array(seen["dense" + case], shape=raw.shape, kind="iu", call=call_encode, slip=slip)
        dense = np.asarray(seen["dense" + case])
        slip = "Dense ids run from 0 to n - 1, so that they can index the rows of a table: no gaps, no start at 1."
        yield expect(
            dense.min() == 0 and dense.max() == n - 1,
            call=call_encode,
            came_back=f"numbers from {dense.min()} to {dense.max()}",
            expected=f"numbers from 0 to {n - 1}",
            slip=slip,
        )
        both = len(set(zip(raw.tolist(), dense.tolist(), strict=True)))
        yield expect(
            both == n == len(set(dense.tolist())),
            call=call_encode,
            came_back=f"{both} different pairs of a raw and a dense id: {format_value(dense)}",
            expected=f"{n}: every raw id has one number, and no two share one",
            slip="The same raw id gets the same dense id wherever it stands, and two raw ids never share one.",
        )
        call_decode = f"ids.decode of all dense ids {call}"
        slip = "decode leads back: ids.decode(ids.encode(raw_ids)) equals raw_ids."
        yield expect_array(seen["back" + case], shape=(n,), kind="U", call=call_decode, slip=slip)
        back = np.asarray(seen["back" + case])
        if back.tolist() == [str(number) for number in range(n)]:
            slip = "Those are the dense ids again: decode returns raw ids."
        yield expect_equal(back[dense], raw.astype(str), call=f"ids.decode(ids.encode(raw_ids)) {call}", slip=slip)
        number_of = dict(zip(raw.tolist(), dense.tolist(), strict=True))
        wanted = np.array([number_of.get(one, -1) for one in mixed.tolist()])
        call_mixed = f"ids.encode of a column of {kind} with three ids that were never seen"
        slip = "An id that was not there gets -1; all others keep their number."
        got = seen["mixed" + case]
        if np.shape(got) == wanted.shape and (np.asarray(got)[world.where] >= 0).all():
            slip = "An unseen id was given the number of a film that is there: nobody would notice. Answer -1 for it."
        elif np.shape(got) == (len(wanted) - 3,):
            slip = "Unseen ids stay in their place, as -1: else the rest of the row no longer fits."
        yield expect_equal(got, wanted, call=call_mixed, slip=slip)
    yield expect(True, saw=f"{len(world.raw)} rows with {world.n} different ids, as numbers with gaps and as strings.")


def dataset_world(rng: np.random.Generator) -> World:
    """Rows of known and unknown users and films; more films than users, numbered in no order."""
    n_users, n_items, n_known = int(rng.integers(7, 10)), int(rng.integers(12, 16)), 17
    raw_users, raw_items = raw_ids(rng, n_users + 3), raw_ids(rng, n_items + 3)
    users = [0, 1, *rng.integers(0, n_users, n_known - 2), n_users, n_users + 1, n_users, 0, 1, n_users + 2]
    items = [1, 0, *rng.integers(0, n_items, n_known - 2), 0, 1, 2, n_items, n_items + 1, n_items + 2]
    users, items = np.array(users), np.array(items)  # then 3 rows with unknown users, 2 with unknown films, 1 with both
    rows = table_rows(rng, users, items)
    users, items = rows[:, 0].astype(int), rows[:, 1].astype(int)
    known = (users < n_users) & (items < n_items)
    rows[:, 0], rows[:, 1] = raw_users[users], raw_items[items]
    rows[:, 2] -= rng.choice([0.0, 0.5], len(rows))  # half stars
    public = {"rows": rows, "raw_users": raw_users[:n_users], "raw_items": raw_items[:n_items]}
    secret = {"pairs": np.column_stack([users, items])[known], "stars": rows[known, 2], "known": known}
    secret["n_unseen_ids"] = int((users >= n_users).sum() + (items >= n_items).sum())
    return World(public=public, secret=secret)


NO_ATTRIBUTE = "The object needs the attributes features, targets and n_dropped: set them as self.features = ..."


@check(
    points=2,
    call="RatingsDataset(ratings, users, items)",
    world=dataset_world,
    hints={
        "AttributeError": NO_ATTRIBUTE,
        "NotImplementedError": "A Dataset needs __len__ and __getitem__.",
        "IndexError": "Too few rows are left: are users and items swapped, or does the id 0 count as unknown?",
    },
)
def ratings_dataset(RatingsDataset, world):
    """Dense features and targets as tensors, row by row; rows without a number left out and counted."""
    from torch.utils.data import DataLoader

    from course_utils.interactions import IdMap

    data = RatingsDataset(frame(world.rows), IdMap(world.raw_users), IdMap(world.raw_items))
    seen = {"features": data.features, "targets": data.targets, "n_dropped": data.n_dropped, "n": len(data)}
    seen |= {"types": [str(getattr(column, "dtype", type(column))) for column in (data.features, data.targets)]}
    row = data[2]
    seen |= {"row": row[0], "target": row[1]}
    batch = next(iter(DataLoader(data, batch_size=4)))
    return seen | {"batch": batch[0], "batch_targets": batch[1]}


@ratings_dataset.judge
def _(seen, world):
    n = len(world.pairs)
    call = "RatingsDataset(ratings, users, items).features"
    slip = "One row a rating, user id and film id side by side; rows whose user or film has no number are left out."
    if np.shape(seen["features"]) == (len(world.rows), 2):
        slip = "No row was left out: -1 is no row of a table, and as an index it is the last one."
    elif np.shape(seen["features"]) == (2, n):
        slip = "That is the table on its side: np.column_stack puts the two columns side by side."
    yield expect_array(seen["features"], shape=(n, 2), call=call, slip=slip)
    slip = "Look ids up with users.encode and items.encode, and keep the order of the rows."
    if np.array_equal(seen["features"], world.pairs[:, ::-1]):
        slip = "The columns are swapped: the user comes first, then the film."
    elif seen["features"].max() > world.pairs.max():
        slip = "Those are raw ids: a table of vectors has no row for them. users.encode makes them dense."
    elif (np.asarray(seen["features"]) < 0).any():
        slip = "A row with an unknown film or user is still there, as -1: leave it out if either has no number."
    yield expect_close(seen["features"], world.pairs, call=call, atol=0, slip=slip)
    call = "RatingsDataset(ratings, users, items).targets"
    slip = "One rating for each row of features, in the same order."
    if np.array_equal(seen["targets"], np.floor(world.stars)):
        slip = "Half stars were cut off: targets are float32, not whole numbers."
    yield expect_close(seen["targets"], world.stars, call=call, slip=slip)
    yield expect(
        list(map(str, np.atleast_1d(seen["types"]))) == ["torch.int64", "torch.float32"],
        call="the types of features and targets",
        came_back=", ".join(map(str, np.atleast_1d(seen["types"]))),
        expected="torch.int64, torch.float32",
        slip="Features are tensors of whole numbers, which can index a table; targets match the float32 of the scores.",
    )
    slip = "Rows left out: those whose user or film, or both, has no number."
    if np.shape(seen["n_dropped"]) == () and seen["n_dropped"] == n:
        slip = "That is the number of rows kept."
    elif np.shape(seen["n_dropped"]) == () and seen["n_dropped"] == world.n_unseen_ids:
        slip = "A row whose user and film are both unknown is one row, not two."
    call = "RatingsDataset(ratings, users, items).n_dropped"
    yield expect_equal(seen["n_dropped"], len(world.rows) - n, call=call, slip=slip)
    yield expect_equal(seen["n"], n, call="len(RatingsDataset(...))", slip="The length counts the rows that are kept.")
    slip = "data[row] is the pair (features[row], targets[row])."
    yield expect_close(seen["row"], world.pairs[2], call="the features of RatingsDataset(...)[2]", atol=0, slip=slip)
    yield expect_close(seen["target"], world.stars[2], call="the target of RatingsDataset(...)[2]", slip=slip)
    call = "the first batch of DataLoader(RatingsDataset(...), batch_size=4)"
    yield expect_close(seen["batch"], world.pairs[:4], call=call, atol=0, slip=slip)
    saw = f"{len(world.rows)} rows: {n} in the data set, {len(world.rows) - n} dropped and counted."
    yield expect_close(seen["batch_targets"], world.stars[:4], call=call, slip=slip, saw=saw)
