"""Lesson 01, the optimiser: one step with known gradients tells decay, its coupling and the learning rate."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect, expect_array, expect_close
from course_utils.checks.framework import World, check


def decay_world(rng: np.random.Generator) -> World:
    public = {
        "weight_decay": round(float(rng.uniform(0.05, 0.3)), 2),
        "learning_rate": round(float(rng.uniform(0.05, 0.3)), 2),
        "table": rng.normal(size=(5, 3)).astype(np.float32),
        "bias": rng.normal(size=(5, 1)).astype(np.float32),
    }
    return World(public=public)


@check(points=1, call="decaying_adam(model, learning_rate, weight_decay)", world=decay_world)
def decaying_adam(decaying_adam, world):
    """Adam with decoupled weight decay on the factors and none on the biases."""
    import torch

    class Tables(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.factors = torch.nn.Embedding.from_pretrained(torch.as_tensor(world.table).clone(), freeze=False)
            self.biases = torch.nn.Embedding.from_pretrained(torch.as_tensor(world.bias).clone(), freeze=False)

    seen = {}
    for name, gradient in (("idle", 0.0), ("moved", 0.3)):  # not 1: there SGD would take the same step
        model = Tables()
        optimizer = decaying_adam(model, world.learning_rate, world.weight_decay)
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, gradient)
        optimizer.step()
        seen[f"factors_{name}"], seen[f"biases_{name}"] = model.factors.weight, model.biases.weight
    return seen


@decaying_adam.judge
def _(seen, world):
    def shrunk_by(learning_rate: float, weight_decay: float) -> np.ndarray:
        return world.table * (1 - learning_rate * weight_decay)

    shrunk = shrunk_by(world.learning_rate, world.weight_decay)
    idle = "one step with all gradients 0: "
    slip = "Factor tables, those with more than one column, shrink by learning_rate * weight_decay in every step."
    if is_close(seen["factors_idle"], world.table - world.learning_rate * np.sign(world.table), atol=1e-3):
        slip = "That is Adam's coupled decay, whose step has the same size for every weight: use AdamW."
    elif is_close(seen["factors_idle"], world.table):
        slip = "The factors do not decay at all: pass weight_decay on, to the group that holds them."
    elif is_close(seen["factors_idle"], shrunk_by(1e-3, world.weight_decay)):
        slip = "That is torch's own learning rate, 0.001: pass learning_rate on."
    elif is_close(seen["factors_idle"], shrunk_by(world.learning_rate, 0.01)):
        slip = "That is torch's own weight decay, 0.01: pass weight_decay on."
    yield expect_array(seen["factors_idle"], shape=shrunk.shape, call=idle + "the factors", slip=slip)
    ratios = seen["factors_idle"] / world.table
    yield expect(
        is_close(seen["factors_idle"], shrunk),
        call=idle + "the factors",
        came_back=f"the factors times {ratios.min():.4g}"
        + (f" to {ratios.max():.4g}" if np.ptp(ratios) > 1e-4 else ""),
        expected=f"the factors times {1 - world.learning_rate * world.weight_decay:.4g}",
        slip=slip,
    )
    slip = "Biases are not decayed: give them a parameter group of their own with weight_decay=0."
    yield expect_close(seen["biases_idle"], world.bias, atol=1e-5, call=idle + "the biases", slip=slip)
    moved = "one step with all gradients 0.3: "
    slip = "Both groups learn, at the learning rate that is passed in: Adam's first step has just that size."
    yield expect_close(
        seen["factors_moved"], shrunk - world.learning_rate, atol=1e-3, call=moved + "the factors", slip=slip
    )
    yield expect_close(
        seen["biases_moved"],
        world.bias - world.learning_rate,
        atol=1e-3,
        call=moved + "the biases",
        slip=slip,
        saw="Factors shrink by learning_rate * weight_decay a step, biases do not, and both learn.",
    )


def is_close(seen, values: np.ndarray, atol: float = 1e-5) -> bool:
    return getattr(seen, "shape", None) == values.shape and np.allclose(seen, values, rtol=0, atol=atol)
