"""Lesson 02: the net of the MLP, recognised by its parameters' shapes and worked out again from their values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_array, expect_close
from course_utils.checks.framework import World, check

LAYERS = (12, 20, 10, 6)  # unlike the lesson's, so that no size can be written into the net
NO_FORWARD = "The module needs a method called `forward` that takes user_ids and item_ids."
SWAPPED = "Users look up rows of the user table, items rows of the item table: are the two swapped, or their sizes?"
SHAPES = (
    "Sizes that do not fit together: layers[0] is twice the length of a vector, and the first linear layer's input."
)


def net_world(rng: np.random.Generator) -> World:
    n_users, n_items = int(rng.integers(30, 40)), int(rng.integers(60, 80))
    public = {
        "n_users": n_users,
        "n_items": n_items,
        "layers": np.array(LAYERS),
        "user_ids": np.append(rng.integers(0, n_users, 15), n_users - 1),
        "item_ids": np.append(rng.integers(0, n_items, 15), n_items - 1),
        "draw": rng.normal(size=4000).astype(np.float32),
    }
    return World(public=public)


def fill(model, draw: np.ndarray) -> None:
    """Give every parameter values of its own, so that untouched starts hide nothing."""
    import torch

    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            values = np.resize(np.roll(draw, 37 * number), parameter.numel()).reshape(parameter.shape)
            parameter.copy_(torch.as_tensor(values * (0.5 if parameter.ndim > 1 else 0.3)))


def parameters_of(model) -> dict:
    """Every parameter under `p0`, `p1`, ..., in the order of the module; and how many there are."""
    values = [parameter.detach().clone() for parameter in model.parameters()]
    return {f"p{number}": value for number, value in enumerate(values)} | {"n_parameters": len(values)}


@check(
    points=2,
    call="MLP(n_users, n_items, layers, dropout)",
    world=net_world,
    hints={"NotImplementedError": NO_FORWARD, "IndexError": SWAPPED, "RuntimeError": SHAPES},
)
def mlp(mlp, world):
    """Vectors side by side, linear layers with ReLU and dropout, one number out, and no sigmoid."""
    import torch

    layers = [int(size) for size in world.layers]
    users, items = torch.as_tensor(world.user_ids), torch.as_tensor(world.item_ids)
    model = mlp(world.n_users, world.n_items, list(layers), 0.5)
    fill(model, world.draw)
    seen = parameters_of(model)
    model.eval()
    seen |= {"scores": model(users, items), "one": model(users[:1], items[:1])}
    model.train()
    seen["twice"] = torch.stack([model(users, items).flatten()[: len(users)] for _ in range(2)])
    plain = mlp(world.n_users, world.n_items, list(layers), 0.0)
    fill(plain, world.draw)
    plain.train()
    seen["plain_twice"] = torch.stack([plain(users, items).flatten()[: len(users)] for _ in range(2)])
    return seen


@mlp.judge
def _(seen, world):
    sizes = world.layers.tolist()
    half = sizes[0] // 2
    yield from same_shapes(seen, world, half, [*sizes, 1])
    n = len(world.user_ids)
    slip = "One number a pair: the last layer gives (B, 1), so take [:, 0]."
    yield expect_array(seen["scores"], shape=(n,), call="model(user_ids, item_ids)", slip=slip)
    one = "A batch of one pair gives one score, of shape (1,): name the dimension, or squeeze() takes both."
    yield expect_array(seen["one"], shape=(1,), call="model(user_ids[:1], item_ids[:1])", slip=one)
    yield from same_net(seen["scores"], seen, world, "model.eval(), then model(user_ids, item_ids)")
    yield expect(
        not np.array_equal(*np.asarray(seen["twice"])),
        call="MLP(..., dropout=0.5).train(), then the same batch twice",
        came_back="the same scores twice",
        expected="two different results, as dropout leaves out different entries each time",
        slip="The dropout is missing.",
    )
    yield expect(
        np.array_equal(*np.asarray(seen["plain_twice"])),
        call="MLP(..., dropout=0.0).train(), then the same batch twice",
        came_back="two different results",
        expected="the same scores twice",
        slip="The rate of the dropout is the argument `dropout`, not a number of its own.",
        saw=f"Vectors of {half}, layers {', '.join(map(str, sizes))} and 1, ReLU and dropout between, no sigmoid.",
    )


def arrays_of(seen) -> list[np.ndarray]:
    n = int(np.asarray(seen["n_parameters"]))
    return [np.asarray(seen[f"p{number}"]) for number in range(n)]


def same_shapes(seen, world, half: int, sizes: list[int]):
    """Whether the module has two tables of the right size, and one linear layer for each step."""
    got = sorted(array.shape for array in arrays_of(seen))
    tables = [(world.n_users, half), (world.n_items, half)]
    linear = [shape for a, b in pairwise(sizes) for shape in ((b, a), (b,))]
    wanted = sorted([*tables, *linear])
    slip = (
        "Two tables of vectors, and between each two sizes of `layers` one linear layer; one more to a single output."
    )
    if (world.n_users, 2 * half) in got:
        slip = f"layers[0] = {2 * half} is the width of both vectors side by side: each has half of it."
    elif len(got) < len(wanted):
        slip += " Layers in a plain Python list are not found: nn.Sequential or nn.ModuleList holds them."
    yield expect(
        got == wanted,
        call="the shapes of the module's parameters",
        came_back=", ".join(map(str, got)),
        expected=", ".join(map(str, wanted)),
        slip=slip,
    )


def tables_of(seen, world) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """(user table, item table, all other parameters in their order)."""
    arrays = arrays_of(seen)
    half = min(array.shape[1] for array in arrays if len(array) == world.n_users and array.ndim == 2)
    users = next(array for array in arrays if array.shape == (world.n_users, half))
    items = next(array for array in arrays if array.shape == (world.n_items, half))
    return users, items, [array for array in arrays if array is not users and array is not items]


def net(x: np.ndarray, layers: list[np.ndarray], relus: str = "between") -> np.ndarray:
    """The output (n,) of linear layers [weights, biases, ...], with ReLU between, everywhere or nowhere."""
    steps = list(zip(layers[::2], layers[1::2], strict=True))
    for number, (weights, biases) in enumerate(steps):
        x = x @ weights.T + biases
        if relus == "everywhere" or (relus == "between" and number < len(steps) - 1):
            x = np.maximum(x, 0)
    return x[:, 0]


def same_net(scores, seen, world, call: str):
    """Whether the scores are what the module's own parameters give, with the vectors side by side in either order."""
    users, items, rest = tables_of(seen, world)
    weights = [array for array in rest if array.ndim == 2]
    biases = [array for array in rest if array.ndim == 1]
    chain = chained(weights, biases)
    p, q = users[world.user_ids], items[world.item_ids]
    rows = {"right": np.concatenate([p, q], axis=1), "turned": np.concatenate([q, p], axis=1)}
    for x in rows.values():
        if expect_close(scores, net(x, chain), atol=1e-3, rtol=1e-3).ok:
            yield Finding(1)
            return
    x = rows["right"]
    slip = "Both vectors side by side (torch.cat along dim=-1), then linear, ReLU, dropout for each hidden layer."
    for x in rows.values():
        out = net(x, chain)
        mistakes = {
            "Return the logit: a sigmoid is already in the loss, and a second one would squeeze it twice.": 1
            / (1 + np.exp(-out)),
            "No ReLU after the last layer: a score may be negative.": np.maximum(out, 0),
            "The ReLU is missing: linear layers in a row are one linear layer.": net(x, chain, "nowhere"),
            "ReLU comes after each hidden layer, not on the vectors themselves.": net(np.maximum(x, 0), chain),
        }
        for words, result in mistakes.items():
            if expect_close(scores, result, atol=1e-3, rtol=1e-3).ok:
                slip = words
    yield expect_close(scores, net(rows["right"], chain), atol=1e-3, rtol=1e-3, call=call, slip=slip)


def chained(weights: list[np.ndarray], biases: list[np.ndarray]) -> list[np.ndarray]:
    """Linear layers in the order in which their sizes fit together, ending in one output."""
    left, chain, size = list(weights), [], 1
    while left:
        last = next(array for array in left if len(array) == size)
        left = [array for array in left if array is not last]
        chain = [last, next(array for array in biases if len(array) == size), *chain]
        size = last.shape[1]
    return chain
