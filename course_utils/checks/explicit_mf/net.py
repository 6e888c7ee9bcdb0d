"""Lesson 01, the small neural net, redone in NumPy from the parameters that it has."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect, format_shape
from course_utils.checks.explicit_mf.models import look_at_model, model_world, score_matrix
from course_utils.checks.explicit_mf.worlds import NO_FORWARD, SWAPPED
from course_utils.checks.framework import check

DROPOUT = 0.5


@check(
    points=2,
    call="CollabFNet(n_users, n_items, n_factors, n_hidden, dropout)",
    world=model_world,
    hints={
        "IndexError": SWAPPED,
        "NotImplementedError": NO_FORWARD,
        "RuntimeError": "The first linear layer takes both vectors: 2 * n_factors inputs.",
    },
)
def collab_f_net(CollabFNet, world):
    """Both vectors side by side, ReLU, dropout, linear, ReLU, linear."""
    import torch

    sizes = world.n_users, world.n_items, world.n_factors, world.n_hidden
    seen = look_at_model(CollabFNet(*sizes, DROPOUT), world)
    user_ids, item_ids = torch.arange(world.n_users), torch.arange(world.n_users)

    def twice(model):
        return torch.stack([model(user_ids, item_ids).reshape(-1) for _ in range(2)])

    model = CollabFNet(*sizes, DROPOUT)
    seen["eval_twice"] = twice(model.eval())
    seen["train_twice"] = twice(model.train())
    seen["train_without_dropout_twice"] = twice(CollabFNet(*sizes, 0.0).train())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1.0 if parameter.ndim > 1 else 0.0)
    seen["train_at_one"] = twice(model)
    return seen


@collab_f_net.judge
def _(seen, world):
    yield expect(
        np.array_equal(*seen["eval_twice"]),
        call="model.eval(), then the same batch twice",
        came_back="two different results",
        expected="the same scores twice",
        slip="Dropout must be off in evaluation mode: use nn.Dropout, or pass training=self.training.",
    )
    yield from score_matrix(seen, world)
    k, h = world.n_factors, world.n_hidden
    parameters = [seen[f"parameter_{n}"].astype(float) for n in range(int(seen["n_parameters"]))]
    layers = (h, 2 * k), (1, h)
    # a layer may keep its weights the other way round, for x @ W
    tensors = {p.T.shape if p.T.shape in layers else p.shape: p.T if p.T.shape in layers else p for p in parameters}
    wanted = [(world.n_users, k), (world.n_items, k), (h, 2 * k), (h,), (1, h), (1,)]
    yield expect(
        sorted(tensors) == sorted(wanted) and len(parameters) == len(wanted),
        call="the shapes of the model's parameters",
        came_back=", ".join(format_shape(p.shape) for p in parameters),
        expected=", ".join(format_shape(shape) for shape in wanted),
        slip="Two tables, a linear layer from 2 * n_factors to n_hidden, one from n_hidden to 1, both with bias.",
    )
    users, items, *weights = (tensors[shape] for shape in wanted)
    users, items = np.repeat(users, world.n_items, 0), np.tile(items, (world.n_users, 1))
    inputs = np.hstack([users, items]), np.hstack([items, users])  # items first is the same family of models

    def is_net(**without: bool) -> bool:
        return any(np.allclose(seen["scores"], f_net(x, *weights, **without), rtol=1e-3, atol=1e-2) for x in inputs)

    slip = "In evaluation mode: concatenate, ReLU, first linear layer, ReLU, second linear layer, and nothing after it."
    if is_net(first_relu=False):
        slip = "The ReLU on the two vectors, before the first linear layer, is missing."
    elif is_net(second_relu=False) or is_net(first_relu=False, second_relu=False):
        slip = "Without a ReLU between them two linear layers are one: the net cannot model taste at all."
    yield expect(
        is_net(),
        call="model.eval(); model(user_ids, item_ids) at random weights",
        came_back="other scores than these layers give",
        expected="W2 ReLU(W1 ReLU([p; q]) + b1) + b2",
        slip=slip,
    )
    yield expect(
        not np.array_equal(*seen["train_twice"]),
        call="model.train(), then the same batch twice",
        came_back="the same scores twice",
        expected="two different results, as dropout leaves out different entries each time",
        slip="The dropout is missing.",
    )
    yield expect(
        np.array_equal(*seen["train_without_dropout_twice"]),
        call="CollabFNet(..., dropout=0.0).train(), then the same batch twice",
        came_back="two different results",
        expected="the same scores twice",
        slip="The rate of the dropout is the argument `dropout`, not a number of its own.",
    )
    # With a 1 in every weight and no biases, n of the 2k entries that survive, each doubled, give 2 * n * h.
    survivors = seen["train_at_one"] / (h / (1 - DROPOUT))
    yield expect(
        bool(np.allclose(survivors, survivors.round(), atol=1e-3)),
        call="model.train() with a 1 in every weight and a 0 in every bias",
        came_back="scores that no dropout of entries of the two vectors can give",
        expected=f"multiples of {h / (1 - DROPOUT):g}: n_hidden={h} times the entries that are left, doubled",
        slip="Dropout acts on the two vectors, after the first ReLU, and nowhere else.",
        saw=f"Six parameters of the right shapes, two ReLUs around the {h} hidden units, dropout in training only.",
    )


def f_net(x, weight_1, bias_1, weight_2, bias_2, first_relu=True, second_relu=True) -> np.ndarray:
    """The scores (n,) of a net with hidden weights (h, 2k) and output weights (1, h) for inputs x (n, 2k)."""
    x = np.maximum(x, 0) if first_relu else x
    x = x @ weight_1.T + bias_1
    x = np.maximum(x, 0) if second_relu else x
    return x @ weight_2[0] + bias_2
