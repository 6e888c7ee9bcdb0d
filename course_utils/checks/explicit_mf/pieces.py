"""Lesson 01, the pieces of a factorisation: RMSE by hand, embedding lookup, dot product, initialisation."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect, expect_array, expect_close, format_value
from course_utils.checks.explicit_mf.worlds import ONE_SCORE_A_PAIR, pairs, ratings_world, recognise
from course_utils.checks.framework import World, check


class _Predictor:
    """Stands for a fitted Spotlight model: `predict` reads a table of scores."""

    def __init__(self, table: np.ndarray):
        self._table = table

    def predict(self, user_ids, item_ids=None):
        if item_ids is None:
            return self._table[user_ids]
        return self._table[np.asarray(user_ids), np.asarray(item_ids)]


@check(
    points=1,
    call="rmse_by_hand(model, user_ids, item_ids, ratings)",
    world=ratings_world,
    hints={"IndexError": "model.predict takes the user ids first, then the item ids."},
)
def rmse_by_hand(rmse_by_hand, world):
    """The root of the mean squared error of a fitted model's predictions."""
    model = _Predictor(world.table)
    return {"rmse": rmse_by_hand(model, world.user_ids, world.item_ids, world.ratings)}


@rmse_by_hand.judge
def _(seen, world):
    errors = [float(world.table[u, i]) - float(r) for u, i, r in pairs(world)]
    squares = sum(error * error for error in errors)
    slips = {
        "That is the mean squared error: its square root is missing.": squares / len(errors),
        "That is the mean absolute error: square before you average.": sum(map(abs, errors)) / len(errors),
        "That is the root of the sum: divide by the number of ratings first.": squares**0.5,
        "That is the root of each error averaged: average first, then take one root.": abs(sum(errors)) / len(errors),
    }
    # 1e-4 is far below the difference between any two of these, and above float32's rounding
    slip = recognise(seen["rmse"], slips, "Square the errors, average them, take one root.")
    wanted = np.float64((squares / len(errors)) ** 0.5)
    yield expect_close(seen["rmse"], wanted, atol=1e-4, slip=slip, saw=f"RMSE {wanted:.4f} over {len(errors)} pairs.")


def lookup_world(rng: np.random.Generator) -> World:
    n_rows, width = int(rng.integers(9, 14)), int(rng.integers(3, 6))
    ids = np.concatenate([rng.integers(0, n_rows, 7), [n_rows - 1, 0, 0]])  # repeats, both ends, no order
    return World(public={"table": rng.normal(size=(n_rows, width)).astype(np.float32), "ids": ids})


@check(
    points=1,
    call="embedding_lookup(table, ids)",
    world=lookup_world,
    hints={
        "RuntimeError": "If you multiply by a one-hot matrix: it needs num_classes=len(table), and one_hot gives whole "
        "numbers, so convert with .to(table.dtype)."
    },
)
def embedding_lookup(embedding_lookup, world):
    """Row number ids[b] of the table, for every b."""
    import torch

    table = torch.as_tensor(world.table)
    return {
        "rows": embedding_lookup(table, torch.as_tensor(world.ids)),
        "one": embedding_lookup(table, torch.as_tensor(world.ids[:1])),
    }


@embedding_lookup.judge
def _(seen, world):
    wanted = np.stack([world.table[i] for i in world.ids.tolist()])
    slip = "Row b of the result is row ids[b] of the table: repeated ids give repeated rows, in the order of ids."
    yield expect_close(seen["rows"], wanted, slip=slip)
    yield expect_close(
        seen["one"],
        wanted[:1],
        call="embedding_lookup(table, ids[:1])",
        slip="A batch of one id is still a batch: keep its dimension.",
        saw=f"{len(wanted)} rows of a table of {len(world.table)}, repeats and both ends among them.",
    )


def vectors_world(rng: np.random.Generator) -> World:
    shape = (int(rng.integers(6, 10)), int(rng.integers(3, 6)))
    draw = [rng.normal(size=shape).astype(np.float32) for _ in range(2)]
    return World(public={"user_vectors": draw[0], "item_vectors": draw[1]})


@check(points=1, call="dot_scores(user_vectors, item_vectors)", world=vectors_world)
def dot_scores(dot_scores, world):
    """The sum over the factors of user vector times item vector, row by row."""
    import torch

    user_vectors, item_vectors = torch.as_tensor(world.user_vectors), torch.as_tensor(world.item_vectors)
    return {"scores": dot_scores(user_vectors, item_vectors), "one": dot_scores(user_vectors[:1], item_vectors[:1])}


@dot_scores.judge
def _(seen, world):
    rows = zip(world.user_vectors.tolist(), world.item_vectors.tolist(), strict=True)
    wanted = np.array([sum(p * q for p, q in zip(*row, strict=True)) for row in rows])
    got = seen["scores"]
    slip = ONE_SCORE_A_PAIR
    if getattr(got, "shape", None) == (len(wanted), len(wanted)):
        slip = "That scores every user with every item of the batch. Multiply row by row, then sum over the factors."
    elif getattr(got, "shape", None) == wanted.shape and np.allclose(
        got * world.user_vectors.shape[1], wanted, atol=1e-4
    ):
        slip = "That is the mean of the products: a dot product is their sum."
    yield expect_close(got, wanted, atol=1e-4, slip=slip)
    yield expect_close(
        seen["one"],
        wanted[:1],
        atol=1e-4,
        call="dot_scores(user_vectors[:1], item_vectors[:1])",
        slip="A batch of one pair gives one score, of shape (1,): name the dimension that you sum over.",
        saw=f"{len(wanted)} pairs, {len(wanted)} scores, and a batch of one keeps its shape.",
    )


def init_world(rng: np.random.Generator) -> World:
    cases = [(round(float(rng.uniform(0.02, 2.0)), 3), int(k)) for k in rng.integers(2, 100, 4)]
    public = {"score_std": np.array([std for std, _ in cases]), "n_factors": np.array([k for _, k in cases])}
    draws = [(rng.standard_normal((20_000, k)) * rng.standard_normal((20_000, k))).sum(1).std() for _, k in cases]
    return World(public=public, secret={"std_of_unit_dots": np.array(draws)})


@check(points=1, call="init_std(score_std, n_factors)", world=init_world)
def init_std(init_std, world):
    """The standard deviation of factors that gives dot products of the wanted spread."""
    cases = zip(world.score_std.tolist(), world.n_factors.tolist(), strict=True)
    return {"stds": [init_std(std, k) for std, k in cases]}


@init_std.judge
def _(seen, world):
    yield expect_array(seen["stds"], shape=world.score_std.shape, slip="Return one positive number.")
    yield expect(
        bool((seen["stds"] > 0).all()),
        came_back=format_value(seen["stds"]),
        expected="positive numbers",
        slip="Return one positive number.",
    )
    # a dot product scales with the square of its entries' spread; the spread at 1 was drawn, not derived
    spread = world.std_of_unit_dots * seen["stds"] ** 2
    slip = "The variance of a sum of k independent products is k times that of one product: std**4."
    if np.allclose(seen["stds"], world.score_std):
        slip = "That is the spread of the scores itself: a score is a sum of n_factors products of two draws."
    elif np.allclose(world.std_of_unit_dots * seen["stds"], world.score_std, rtol=0.05):
        slip = "That is one square root short: the spread of a product of two draws is the square of theirs."
    elif np.allclose(seen["stds"] ** 2, world.score_std):
        slip = "That leaves out n_factors: a score is a sum of n_factors products, and spreads more than one of them."
    # 5 % is six standard errors of a spread drawn 20,000 times, at n_factors = 2, where products have the heaviest
    # tails; a root that is forgotten is off by more than a fifth.
    yield expect_close(
        spread,
        world.score_std,
        rtol=0.05,
        atol=0,
        call="the spread of 20,000 dot products of factors drawn with init_std(score_std, n_factors)",
        slip=slip,
        saw=f"Simulated dot products have the wanted spread for n_factors = {', '.join(map(str, world.n_factors))}.",
    )
