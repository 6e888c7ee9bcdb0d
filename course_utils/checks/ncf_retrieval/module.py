"""Lesson 02: NCF as a LightningModule: its forward pass, its loss and its optimiser, each for a third of the points."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_array, expect_close
from course_utils.checks.framework import World, check
from course_utils.checks.ncf_retrieval.nets import (
    NO_FORWARD,
    SHAPES,
    SWAPPED,
    chained,
    fill,
    net,
    parameters_of,
    same_net,
    same_shapes,
    tables_of,
)
from course_utils.checks.ncf_retrieval.worlds import first_failure, worth

SIZES = (16, 64, 32, 1)
FACTORS = 8
LARGE = 25.0
"""Logits far from 0, where float32's sigmoid is exactly 1 or the logarithm of what is left is cut off."""


def module_world(rng: np.random.Generator) -> World:
    n_users, n_items = int(rng.integers(80, 90)), int(rng.integers(100, 120))
    n = 24
    public = {
        "n_users": n_users,
        "n_items": n_items,
        "user_ids": np.append(rng.integers(0, n_users, n - 1), n_users - 1),
        "item_ids": np.append(rng.integers(0, n_items, n - 1), n_items - 1),
        "labels": rng.permutation(np.arange(n) % 4 == 0).astype(np.float32),
        "draw": rng.normal(size=4000).astype(np.float32),
        "learning_rate": round(float(rng.uniform(0.02, 0.09)), 3),
    }
    return World(public=public)


@check(
    points=3,
    call="NCF(n_users, n_items, learning_rate)",
    world=module_world,
    hints={
        "NotImplementedError": NO_FORWARD,
        "IndexError": SWAPPED,
        "RuntimeError": SHAPES,
        "TypeError": "The arguments are n_users, n_items and learning_rate; forward takes user_ids and item_ids.",
    },
)
def ncf(ncf, world):
    """Embeddings of 8, layers 16-64-32-1, binary cross-entropy on logits, Adam."""
    import torch

    from course_utils.lightning_quiet import hush

    hush()
    users, items, labels = (torch.as_tensor(getattr(world, n)) for n in ("user_ids", "item_ids", "labels"))
    model = ncf(world.n_users, world.n_items, world.learning_rate)
    start = model(users, items)
    fill(model, world.draw)
    seen = parameters_of(model)
    model.eval()
    seen |= {"start": start, "scores": model(users, items), "one": model(users[:1], items[:1])}
    model.train()
    try:
        seen |= losses_of(model, (users, items, labels))
    except Exception as problem:  # the forward pass earns its point all the same
        seen["raised_loss"] = f"{type(problem).__name__}: {problem}"
    try:
        seen |= steps_of(ncf(world.n_users, world.n_items, world.learning_rate))
    except Exception as problem:
        seen["raised_step"] = f"{type(problem).__name__}: {problem}"
    return seen


def losses_of(model, batch) -> dict:
    """The loss of a batch as it is, and of one whose logits are far from 0 and on the wrong side."""
    import torch

    users, items, _ = batch
    seen = {"loss": as_loss(model.training_step(batch, 0))}
    with torch.no_grad():
        logits = model(users, items)
        last = [parameter for parameter in model.parameters() if parameter.shape in ((1, 32), (1,))]
        factor = LARGE / logits.abs().median()
        for parameter in last:
            parameter.mul_(factor)
        large = model(users, items)
    wrong_side = (large < 0).float()
    seen |= {"large_logits": large, "large_loss": as_loss(model.training_step((users, items, wrong_side), 0))}
    return seen


def as_loss(result):
    """The loss that a training step returned, by itself or under its name."""
    return result["loss"] if isinstance(result, dict) else result


def steps_of(model) -> dict:
    """What the optimiser is, and how far its first step goes when every gradient is 0.3."""
    import torch

    result = model.configure_optimizers()
    if isinstance(result, dict):
        result = result["optimizer"]
    while isinstance(result, list | tuple):
        result = result[0]
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 0.3)
    result.step()
    moved = [(old - new.detach()).flatten() for old, new in zip(before, model.parameters(), strict=True)]
    return {"optimizer": type(result).__name__, "moved": torch.cat(moved)}


@ncf.judge
def _(seen, world):
    yield from same_shapes(seen, world, FACTORS, list(SIZES))
    n = len(world.user_ids)
    slip = "One number a pair: the last layer gives (B, 1), so take [:, 0]."
    yield expect_array(seen["scores"], shape=(n,), call="model(user_ids, item_ids)", slip=slip)
    one = "A batch of one pair gives one score, of shape (1,): name the dimension, or squeeze() takes both."
    yield expect_array(seen["one"], shape=(1,), call="model(user_ids[:1], item_ids[:1])", slip=one)
    yield from same_net(seen["scores"], seen, world, "model.eval(), then model(user_ids, item_ids)")
    loss = first_failure(loss_findings(seen, world))
    step = first_failure(step_findings(seen, world))
    rights = ["the forward pass", *(["the loss"] * (loss is None)), *(["the optimiser"] * (step is None))]
    for failure in (loss, step):
        if failure:
            yield worth(len(rights) / 3, failure, f"Right: {' and '.join(rights)}.")
    yield Finding(
        1, saw="Vectors of 8, layers 16-64-32-1, logits out, cross-entropy that stays exact far from 0, and Adam."
    )


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) the binary cross-entropy of each pair, exact for any logit."""
    return np.logaddexp(0, logits) - labels * logits


def loss_findings(seen, world):
    call = "model.training_step((user_ids, item_ids, labels), 0)"
    if isinstance(seen["raised_loss"], np.ndarray):
        slip = "The batch is a triple: user_ids, item_ids, labels. Unpack it, score it, return the loss."
        yield Finding(0, call=call, came_back=str(seen["raised_loss"]), expected="the loss of the batch", slip=slip)
    users, items, rest = tables_of(seen, world)
    chain = chained([a for a in rest if a.ndim == 2], [a for a in rest if a.ndim == 1])
    x = np.concatenate([users[world.user_ids], items[world.item_ids]], axis=1)
    if not np.allclose(net(x, chain), seen["scores"], atol=1e-2, rtol=1e-2):
        x = np.concatenate([items[world.item_ids], users[world.user_ids]], axis=1)
    logits, labels = net(x, chain), world.labels
    probs = 1 / (1 + np.exp(-logits))
    terms = cross_entropy(logits, labels)
    slips = {
        "Sigmoid twice: binary_cross_entropy_with_logits applies it itself, so give it the logits.": cross_entropy(
            probs, labels
        ).mean(),
        "That is the sum over the batch: take the mean, which does not grow with the batch.": terms.sum(),
        "Labels are 1 for a positive and 0 for a negative: yours are the other way round.": cross_entropy(
            logits, 1 - labels
        ).mean(),
        "That is a squared error: the loss is the binary cross-entropy.": np.mean((probs - labels) ** 2),
        "A squared error of the logits: the loss is the binary cross-entropy.": np.mean((logits - labels) ** 2),
    }
    yield expect_array(seen["loss"], shape=(), call=call, slip="Return one number, the mean over the batch.")
    slip = next((words for words, value in slips.items() if np.isclose(float(seen["loss"]), value, rtol=1e-3)), "")
    slip = slip or "nn.functional.binary_cross_entropy_with_logits(logits, labels), over the whole batch."
    yield expect_close(seen["loss"], np.float64(terms.mean()), atol=1e-3, rtol=1e-3, call=call, slip=slip)
    large = np.asarray(seen["large_logits"], dtype=float)
    wanted = cross_entropy(large, (large < 0).astype(float)).mean()
    yield expect_close(
        seen["large_loss"],
        np.float64(wanted),
        rtol=0.01,
        call=f"{call}, for logits of about {LARGE:.0f} on the wrong side",
        slip="Far from 0 a sigmoid is exactly 0 or 1, and its logarithm is cut off, gradient and all: take the loss "
        "from the logits, by binary_cross_entropy_with_logits.",
    )


def step_findings(seen, world):
    call = "the first step of model.configure_optimizers(), with every gradient 0.3"
    if isinstance(seen["raised_step"], np.ndarray):
        slip = "Return torch.optim.Adam(self.parameters(), lr=...)."
        yield Finding(0, call=call, came_back=str(seen["raised_step"]), expected="an optimiser", slip=slip)
    moved = np.asarray(seen["moved"])
    came_back = f"{seen['optimizer']}: parameters moved by {moved.min():.4g} to {moved.max():.4g}"
    slip = "Adam's first step has the size of the learning rate, for every parameter of the module."
    if np.allclose(moved, 1e-3, atol=2e-5):
        slip = "That is torch's own learning rate, 0.001: pass learning_rate on; as it is, the setting is never used."
    elif np.allclose(moved, 0.3 * world.learning_rate, atol=1e-4):
        slip = "That is plain gradient descent: use Adam."
    elif (moved == 0).any():
        slip = "Some parameters do not learn: pass self.parameters(), all of them."
    yield expect(
        bool(np.allclose(moved, world.learning_rate, rtol=0.05)),
        call=call,
        came_back=came_back,
        expected=f"Adam: every parameter moved by the learning rate, {world.learning_rate:g}",
        slip=slip,
    )
