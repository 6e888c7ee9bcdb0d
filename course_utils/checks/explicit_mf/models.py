"""Lesson 01, the models, judged by properties that every right implementation has, whatever its layers are called.

All parameters are drawn anew, every user is scored with every item, and the rank of that matrix tells what the model is
made of; with a 1 in every table the score is a number that counts the summands.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect, expect_array, expect_close, format_shape
from course_utils.checks.explicit_mf.worlds import NO_FORWARD, ONE_SCORE_A_PAIR, SWAPPED
from course_utils.checks.framework import World, check


def model_world(rng: np.random.Generator) -> World:
    """Sizes of a small model, all different, so that no two tables can be mistaken for each other."""
    public = {
        "n_users": int(rng.integers(21, 27)),
        "n_items": int(rng.integers(31, 39)),
        "n_factors": int(rng.integers(3, 6)),
        "n_hidden": int(rng.integers(14, 18)),
        "mean": round(float(rng.uniform(2.5, 4.0)), 2),
        "seed": int(rng.integers(2**31)),
    }
    return World(public=public)


def look_at_model(model, world) -> dict:
    """What a judge needs of a model that scores pairs: its score matrix under random parameters, and its manners."""
    import torch

    model.eval()
    user_ids = torch.arange(world.n_users).repeat_interleave(world.n_items)
    item_ids = torch.arange(world.n_items).repeat(world.n_users)
    parameters = [p for p in model.parameters() if p.requires_grad]
    seen = {f"start_{n}": parameter.detach().clone() for n, parameter in enumerate(parameters)}
    with torch.no_grad():
        seen["scores_at_start"] = model(user_ids, item_ids)
    generator = torch.Generator().manual_seed(world.seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    seen |= {f"parameter_{n}": parameter.detach().clone() for n, parameter in enumerate(parameters)}
    seen["n_parameters"] = len(parameters)
    scores = model(user_ids, item_ids)
    seen["scores"] = scores
    seen["one"] = model(user_ids[:1], item_ids[:1])
    if getattr(scores, "requires_grad", False):
        scores.sum().backward()
    seen["without_gradient"] = sum(p.grad is None or not bool(p.grad.to_dense().abs().sum() > 0) for p in parameters)
    for name, value in (("zero", 0.0), ("one", 1.0)):
        with torch.no_grad():
            for parameter in parameters:
                parameter.fill_(value)
            seen[f"scores_at_{name}"] = model(user_ids[:7], item_ids[:7])
    return seen


def score_matrix(seen, world):
    """Findings about the form of a model's scores; then the matrix itself is safe to use."""
    yield expect(
        int(seen["n_parameters"]) > 0,
        call="list(model.parameters())",
        came_back="an empty list",
        expected="the tables",
        slip="The module has no parameters, so it cannot learn: use nn.Embedding, or wrap each table in nn.Parameter.",
    )
    n_pairs = world.n_users * world.n_items
    slip = ONE_SCORE_A_PAIR
    if getattr(seen["scores"], "shape", None) == (n_pairs, 1):
        slip = "That is a column, (B, 1): take [:, 0] of it, or .squeeze(-1)."
    elif getattr(seen["scores"], "shape", None) == (n_pairs, n_pairs):
        slip = (
            "Every user of the batch meets every item of it: a column (B, 1) added to scores (B,) broadcasts to (B, B)."
        )
    yield expect_array(
        seen["scores"],
        shape=(n_pairs,),
        kind="f",
        call=f"model(user_ids, item_ids) for {n_pairs} pairs",
        slip=slip,
    )
    slip = "A batch of one pair gives a score of shape (1,): a bare .squeeze() would lose that dimension."
    yield expect_close(seen["one"], seen["scores"][:1], atol=1e-4, call="model(user_ids[:1], item_ids[:1])", slip=slip)


def numerical_rank(matrix: np.ndarray) -> int:
    """Singular values above 1e-4 of the largest: float32 rounding lies below that, a random factor far above."""
    values = np.linalg.svd(matrix.astype(float), compute_uv=False)
    return int((values > 1e-4 * values[0]).sum()) if values[0] > 0 else 0


@check(
    points=2,
    call="MatrixFactorization(n_users, n_items, n_factors)",
    world=model_world,
    hints={"IndexError": SWAPPED, "NotImplementedError": NO_FORWARD},
)
def matrix_factorization(MatrixFactorization, world):
    """A score is the dot product of a user's and an item's vector, and nothing else."""
    return look_at_model(MatrixFactorization(world.n_users, world.n_items, world.n_factors), world)


@matrix_factorization.judge
def _(seen, world):
    yield from score_matrix(seen, world)
    rank = numerical_rank(seen["scores"].reshape(world.n_users, world.n_items))
    k = world.n_factors
    if rank in (k + 1, k + 2):
        slip = "Something is added to the dot product. Biases come in the next exercise."
    else:
        slip = "The score must be the plain sum of the products of the two vectors' entries."
    yield expect(
        rank == k,
        call="the matrix of all users' scores for all items, at random weights",
        came_back=f"a matrix of rank {rank}",
        expected=f"rank {k}: that of a product of tables with n_factors={k} columns",
        slip=slip,
    )
    yield all_parameters_learn(seen)
    n = world.n_users  # there are more items than users
    square = seen["scores"].reshape(world.n_users, world.n_items)[:, :n]
    yield expect(
        not np.allclose(square, square.T, atol=1e-4),
        call="the scores of users and items with the same numbers",
        came_back="user 0 with item 1 scores as user 1 with item 0 does, and so on",
        expected="different scores",
        slip="Users and items each need a table of their own.",
    )
    slip = "Sum the products of the factors: not their mean, and nothing after the sum."
    yield expect_close(
        seen["scores_at_one"],
        np.full(7, float(k)),
        atol=1e-4,
        call=f"MatrixFactorization(..., n_factors={k}) with a 1 in every entry of both tables",
        slip=slip,
    )
    start = np.concatenate([seen[f"start_{n}"].ravel() for n in range(int(seen["n_parameters"]))])
    yield expect(
        start.min() >= 0 and start.max() <= 0.05,
        call="the entries of both tables at the start",
        came_back=f"numbers from {start.min():.3g} to {start.max():.3g}",
        expected="numbers from 0 to 0.05",
        slip="Fill both tables with nn.init.uniform_(weight, 0, 0.05); nn.Embedding by itself draws from N(0, 1).",
        saw=f"The matrix of all {world.n_users} x {world.n_items} scores has rank {k}, the number of factors.",
    )


def all_parameters_learn(seen):
    left_out = int(seen["without_gradient"])
    return expect(
        left_out == 0,
        call="scores.sum().backward()",
        came_back=f"{left_out} parameters without a gradient",
        expected="a gradient in every parameter",
        slip="Build the score from the tables themselves: .data, .detach() or a copy cuts the gradient off.",
    )


@check(
    points=2,
    call="BiasedMF(n_users, n_items, n_factors, mean)",
    world=model_world,
    hints={"IndexError": SWAPPED, "NotImplementedError": NO_FORWARD},
)
def biased_mf(BiasedMF, world):
    """Global mean + user bias + item bias + dot product."""
    return look_at_model(BiasedMF(world.n_users, world.n_items, world.n_factors, world.mean), world)


def biases_are_tables(seen, world):
    """Findings about the parameters: factors and biases in tables (one for users and items together will do)."""
    shapes = [seen[f"parameter_{n}"].shape for n in range(int(seen["n_parameters"]))]
    wanted = "tables with n_factors columns and tables with 1 column, a row for each user and each item"
    slip = "The biases lie in tables with one column, (n_users, 1) and (n_items, 1): later cells tell them by that."
    if any(np.prod(shape, dtype=int) == 1 for shape in shapes):
        slip = "The mean is a given number and is not learnt: keep it as self.mean = mean, not as a parameter."
    rows = {width: sum(s[0] for s in shapes if len(s) == 2 and s[1] == width) for width in (world.n_factors, 1)}
    yield expect(
        set(rows.values()) == {world.n_users + world.n_items}
        and all(len(shape) == 2 and shape[1] in rows for shape in shapes),
        call="the shapes of the model's parameters",
        came_back=", ".join(map(format_shape, shapes)),
        expected=wanted,
        slip=slip,
    )


@biased_mf.judge
def _(seen, world):
    yield from score_matrix(seen, world)
    scores = seen["scores"].reshape(world.n_users, world.n_items).astype(float)
    k = world.n_factors
    # without its row and column means only the dot product is left
    inner = numerical_rank(scores - scores.mean(0) - scores.mean(1, keepdims=True) + scores.mean())
    slip = "The dot product of the two vectors is a summand of its own, beside the biases."
    if inner > k:
        slip = "The score is the plain sum of mean, biases and dot product: nothing is done to it after that."
    yield expect(
        inner == k,
        call="the matrix of all scores less its row and column means, at random weights",
        came_back=f"a matrix of rank {inner}",
        expected=f"rank {k}: the dot product of n_factors={k} factors",
        slip=slip,
    )
    rank = numerical_rank(scores)
    yield expect(
        rank == k + 2,
        call="the matrix of all scores, at random weights",
        came_back=f"a matrix of rank {rank}",
        expected=f"rank {k + 2}: {k} factors, one bias a user, one bias an item",
        slip="A bias is missing: every user has one of its own, and every item has one of its own.",
    )
    yield from biases_are_tables(seen, world)
    yield all_parameters_learn(seen)
    yield expect_close(
        seen["scores_at_zero"],
        np.full(7, world.mean),
        atol=1e-4,
        call=f"BiasedMF(..., mean={world.mean}) with all tables set to zero",
        slip="With nothing learnt, the score is the global mean: add `mean` to every score.",
    )
    yield expect_close(
        seen["scores_at_one"],
        np.full(7, world.mean + 2 + k),
        atol=1e-4,
        call=f"BiasedMF(..., n_factors={k}, mean={world.mean}) with a 1 in every entry of all tables",
        slip="Add everything up: the mean, both biases, and the sum (not the mean) of the products of the factors.",
    )
    starts = [seen[f"start_{n}"] for n in range(int(seen["n_parameters"]))]
    bias_at_start = max(float(np.abs(table).max()) for table in starts if table.shape[1] == 1)
    yield expect(
        bias_at_start == 0,
        call="the biases at the start",
        came_back=f"numbers up to {bias_at_start:.3g}",
        expected="zeros",
        slip="Start both tables of biases with nn.init.zeros_(weight); nn.Embedding by itself draws from N(0, 1).",
    )
    spread = float(np.std(seen["scores_at_start"]))
    # INIT_STD gives 0.006 here, the default of nn.Embedding about 2
    yield expect(
        spread < 0.3,
        call="the scores at the start",
        came_back=f"scores spread by {spread:.2g} stars",
        expected="scores close to the mean",
        slip="Start the factors with nn.init.normal_(weight, std=INIT_STD); nn.Embedding by itself draws from N(0, 1).",
        saw=f"Rank {k + 2}, that is {k} factors and two biases; with empty tables all scores are {world.mean}.",
    )
