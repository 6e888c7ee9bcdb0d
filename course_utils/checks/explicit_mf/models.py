"""Lesson 01, the models, judged by properties that every right implementation has, whatever its layers are called.

All parameters are drawn anew, every user is scored with every item, and the rank of that matrix tells what the model is
made of.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect, expect_array, expect_close, format_shape
from course_utils.checks.explicit_mf.worlds import ONE_SCORE_A_PAIR, SWAPPED
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

    parameters = [p for p in model.parameters() if p.requires_grad]
    generator = torch.Generator().manual_seed(world.seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    model.eval()
    user_ids = torch.arange(world.n_users).repeat_interleave(world.n_items)
    item_ids = torch.arange(world.n_items).repeat(world.n_users)
    seen = {f"parameter_{n}": parameter.detach().clone() for n, parameter in enumerate(parameters)}
    seen["n_parameters"] = len(parameters)
    scores = model(user_ids, item_ids)
    seen["scores"] = scores
    seen["one"] = model(user_ids[:1], item_ids[:1])
    scores.sum().backward()
    seen["without_gradient"] = sum(p.grad is None or not bool(p.grad.abs().sum() > 0) for p in parameters)
    with torch.no_grad():
        for parameter in parameters:
            if parameter.numel() > 1:
                parameter.zero_()
        seen["scores_at_zero"] = model(user_ids[:7], item_ids[:7])
    return seen


def score_matrix(seen, world):
    """Findings about the form of a model's scores; then the matrix itself is safe to use."""
    n_pairs = world.n_users * world.n_items
    yield expect_array(
        seen["scores"],
        shape=(n_pairs,),
        kind="f",
        call=f"model(user_ids, item_ids) for {n_pairs} pairs",
        slip=ONE_SCORE_A_PAIR,
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
    hints={"IndexError": SWAPPED},
)
def matrix_factorization(MatrixFactorization, world):
    """A score is the dot product of a user's and an item's vector, and nothing else."""
    return look_at_model(MatrixFactorization(world.n_users, world.n_items, world.n_factors), world)


@matrix_factorization.judge
def _(seen, world):
    yield from score_matrix(seen, world)
    rank = numerical_rank(seen["scores"].reshape(world.n_users, world.n_items))
    k = world.n_factors
    if rank == 1 and k > 1:
        slip = "Sum over the factors only, row by row, not over the batch."
    elif rank in (k + 1, k + 2):
        slip = "Something is added to the dot product. Biases come in the next exercise."
    else:
        slip = "The score must be the plain sum of the products of the two vectors' entries."
    yield expect(
        rank == k,
        call="the matrix of all users' scores for all items, at random weights",
        came_back=f"a matrix of rank {rank}",
        expected=f"rank {k}: that of a product of tables with n_factors={k} columns",
        slip=slip,
        saw=f"The matrix of all {world.n_users} x {world.n_items} scores has rank {k}, the number of factors.",
    )
    yield all_parameters_learn(seen)


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
    hints={"IndexError": SWAPPED},
)
def biased_mf(BiasedMF, world):
    """Global mean + user bias + item bias + dot product."""
    return look_at_model(BiasedMF(world.n_users, world.n_items, world.n_factors, world.mean), world)


@biased_mf.judge
def _(seen, world):
    yield from score_matrix(seen, world)
    scores = seen["scores"].reshape(world.n_users, world.n_items).astype(float)
    k = world.n_factors
    # without its row and column means only the dot product is left
    inner = numerical_rank(scores - scores.mean(0) - scores.mean(1, keepdims=True) + scores.mean())
    yield expect(
        inner == k,
        call="the matrix of all scores less its row and column means, at random weights",
        came_back=f"a matrix of rank {inner}",
        expected=f"rank {k}: the dot product of n_factors={k} factors",
        slip="The dot product of the two vectors is a summand of its own, beside the biases.",
    )
    rank = numerical_rank(scores)
    yield expect(
        rank == k + 2,
        call="the matrix of all scores, at random weights",
        came_back=f"a matrix of rank {rank}",
        expected=f"rank {k + 2}: {k} factors, one bias a user, one bias an item",
        slip="A bias is missing: every user has one of its own, and every item has one of its own.",
    )
    yield all_parameters_learn(seen)
    yield expect_close(
        seen["scores_at_zero"],
        np.full(7, world.mean),
        atol=1e-4,
        call=f"BiasedMF(..., mean={world.mean}) with all tables set to zero",
        slip="With nothing learnt, the score is the global mean: add `mean` to every score.",
        saw=f"Rank {k + 2}, that is {k} factors and two biases; with empty tables all scores are {world.mean}.",
    )


@check(
    points=2,
    call="CollabFNet(n_users, n_items, n_factors, n_hidden, dropout)",
    world=model_world,
    hints={"IndexError": SWAPPED, "RuntimeError": "The first linear layer takes both vectors: 2 * n_factors inputs."},
)
def collab_f_net(CollabFNet, world):
    """Both vectors side by side, ReLU, dropout, linear, ReLU, linear."""
    import torch

    model = CollabFNet(world.n_users, world.n_items, world.n_factors, world.n_hidden, 0.5)
    seen = look_at_model(model, world)
    model = CollabFNet(world.n_users, world.n_items, world.n_factors, world.n_hidden, 0.5)
    user_ids, item_ids = torch.arange(world.n_users), torch.arange(world.n_users)
    model.train()
    seen["train_twice"] = torch.stack([model(user_ids, item_ids).reshape(-1) for _ in range(2)])
    model.eval()
    seen["eval_twice"] = torch.stack([model(user_ids, item_ids).reshape(-1) for _ in range(2)])
    return seen


@collab_f_net.judge
def _(seen, world):
    yield from score_matrix(seen, world)
    k, h = world.n_factors, world.n_hidden
    n_parameters = int(seen["n_parameters"])
    tensors = {seen[f"parameter_{n}"].shape: seen[f"parameter_{n}"].astype(float) for n in range(n_parameters)}
    wanted = [(world.n_users, k), (world.n_items, k), (h, 2 * k), (h,), (1, h), (1,)]
    yield expect(
        sorted(tensors) == sorted(wanted) and n_parameters == len(wanted),
        call="the shapes of the model's parameters",
        came_back=", ".join(format_shape(s) for s in sorted(tensors)),
        expected=", ".join(format_shape(s) for s in sorted(wanted)),
        slip="Two tables, a linear layer from 2 * n_factors to n_hidden, one from n_hidden to 1, both with bias.",
    )
    users, items, weight_1, bias_1, weight_2, bias_2 = (tensors[shape] for shape in wanted)
    pairs = [(np.repeat(users, world.n_items, 0), np.tile(items, (world.n_users, 1)))]
    pairs.append(pairs[0][::-1])  # items first is the same family of models
    layers = (weight_1, bias_1, weight_2, bias_2)
    right = [_f_net(np.hstack(pair), *layers) for pair in pairs]
    matches = [np.allclose(seen["scores"], scores, rtol=1e-3, atol=1e-2) for scores in right]
    slip = "In evaluation mode: concatenate, ReLU, first linear layer, ReLU, second linear layer, and nothing after it."
    without = [_f_net(np.hstack(pair), *layers, first_relu=False) for pair in pairs]
    linear = [_f_net(np.hstack(pair), *layers, first_relu=False, second_relu=False) for pair in pairs]
    if any(np.allclose(seen["scores"], scores, rtol=1e-3, atol=1e-2) for scores in without):
        slip = "The ReLU on the two vectors, before the first linear layer, is missing."
    elif any(np.allclose(seen["scores"], scores, rtol=1e-3, atol=1e-2) for scores in linear):
        slip = "Without a ReLU between them two linear layers are one: the net cannot model taste at all."
    yield expect(
        any(matches),
        call="model.eval(); model(user_ids, item_ids) at random weights",
        came_back="other scores than these layers give",
        expected="W2 ReLU(W1 ReLU([p; q]) + b1) + b2",
        slip=slip,
    )
    yield expect(
        np.array_equal(*seen["eval_twice"]),
        call="model.eval(), then the same batch twice",
        came_back="two different results",
        expected="the same scores twice",
        slip="Dropout must be off in evaluation mode: use nn.Dropout, or pass training=self.training.",
    )
    yield expect(
        not np.array_equal(*seen["train_twice"]),
        call="model.train(), then the same batch twice",
        came_back="the same scores twice",
        expected="two different results, as dropout leaves out different entries each time",
        slip="The dropout is missing, or its rate is not the argument `dropout`.",
        saw=f"Six parameters of the right shapes, two ReLUs around the {h} hidden units, dropout in training only.",
    )


def _f_net(x, weight_1, bias_1, weight_2, bias_2, first_relu=True, second_relu=True) -> np.ndarray:
    x = np.maximum(x, 0) if first_relu else x
    x = x @ weight_1.T + bias_1
    x = np.maximum(x, 0) if second_relu else x
    return x @ weight_2[0] + bias_2
