"""Lesson 01, the training loop, checked on models so small that every step can be redone by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from course_utils.checks.expect import expect, expect_close, expect_equal
from course_utils.checks.explicit_mf.worlds import pairs, ratings_world, recognise
from course_utils.checks.framework import World, check


def epoch_world(rng: np.random.Generator) -> World:
    """Three batches of uneven size, and a model with one bias a user whose every step can be redone by hand."""
    sizes = [6, 5, 2]
    public = {
        "sizes": np.array(sizes),
        "user_ids": rng.integers(0, 4, sum(sizes)),
        "ratings": rng.integers(1, 6, sum(sizes)).astype(np.float32),
        "start": rng.normal(size=4).astype(np.float32),
        "learning_rate": 0.25,
    }
    return World(public=public)


@check(points=2, call="train_epoch(model, optimizer, batches)", world=epoch_world)
def train_epoch(train_epoch, world):
    """One pass over the batches, one step of the optimiser for each."""
    import torch

    class UserBias(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = torch.nn.Parameter(torch.as_tensor(world.start).clone())
            self.modes = []

        def forward(self, user_ids, item_ids):
            self.modes.append(self.training)
            return self.bias[user_ids]

    model = UserBias()
    model.eval()
    user_ids, ratings = torch.as_tensor(world.user_ids), torch.as_tensor(world.ratings)
    columns = (user_ids, torch.zeros_like(user_ids), ratings)
    batches = list(zip(*(torch.split(column, world.sizes.tolist()) for column in columns), strict=True))
    loss = train_epoch(model, torch.optim.SGD(model.parameters(), lr=world.learning_rate), iter(batches))
    return {"loss": loss, "bias": model.bias, "modes": np.array(model.modes, dtype=bool)}


@train_epoch.judge
def _(seen, world):
    n_batches = len(world.sizes)
    yield expect(
        len(np.atleast_1d(seen["modes"])) == n_batches if isinstance(seen["modes"], np.ndarray) else False,
        call="train_epoch(model, optimizer, batches), counting the model's calls",
        came_back=f"{getattr(seen['modes'], 'size', 0)} calls of the model",
        expected=f"{n_batches}, one for each batch",
        slip="Go through the batches once, and call the model once for each.",
    )
    right, losses = _sgd(world)
    slip = "For each batch: zero_grad, the batch's mean squared error, backward, step."
    if isinstance(seen["bias"], np.ndarray) and seen["bias"].shape == right.shape:
        if np.allclose(seen["bias"], world.start):
            slip = "The weights have not moved: zero_grad first, then loss.backward(), then optimizer.step()."
        elif np.allclose(seen["bias"], _sgd(world, forget=False)[0], atol=1e-4):
            slip = "Gradients add up until you clear them: call optimizer.zero_grad() for every batch."
        elif np.allclose(seen["bias"], _sgd(world, total=True)[0], atol=1e-4):
            slip = "Take the mean of the squared errors of a batch, not their sum."
    yield expect_close(
        seen["bias"], right, atol=1e-4, call="train_epoch(...), looking at the weights after it", slip=slip
    )
    mean = sum(loss * size for loss, size in zip(losses, world.sizes, strict=True)) / sum(world.sizes)
    slip = "Return the mean squared error over all rows, each as it was when its batch came up."
    if recognise(seen["loss"], {slip: float(np.mean(losses))}, "") == slip:
        slip = "That is the mean over batches: the last one is smaller, so weigh each by its number of rows."
    yield expect_close(seen["loss"], np.float64(mean), atol=1e-4, slip=slip)
    yield expect(
        bool(seen["modes"].all()),
        call="train_epoch(model, ...) after model.eval()",
        came_back="a model that was trained in evaluation mode",
        expected="training mode",
        slip="Call model.train() first: an evaluation before this epoch may have switched dropout off.",
        saw=f"{n_batches} batches of uneven size, {n_batches} steps, and the mean over all rows.",
    )


def _sgd(world, forget: bool = True, total: bool = False) -> tuple[np.ndarray, list[float]]:
    """Gradient descent on the user biases, by hand: (4,) weights at the end and each batch's mean squared error."""
    bias, gradient, losses, start = world.start.astype(float), np.zeros(4), [], 0
    for size in world.sizes.tolist():
        users, stars = world.user_ids[start : start + size], world.ratings[start : start + size]
        errors = bias[users] - stars
        losses.append(float(np.mean(errors**2)))
        step = np.bincount(users, weights=2 * errors / (1 if total else size), minlength=4)
        gradient = step if forget else gradient + step
        bias = bias - world.learning_rate * gradient
        start += size
    return bias, losses


@check(points=1, call="evaluate_rmse(model, user_ids, item_ids, ratings)", world=ratings_world)
def evaluate_rmse(evaluate_rmse, world):
    """RMSE on ratings that are not trained on: no dropout, no gradients."""
    import torch

    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Parameter(torch.as_tensor(world.table).clone())
            self.modes, self.gradients = [], []

        def forward(self, user_ids, item_ids):
            self.modes.append(self.training)
            self.gradients.append(torch.is_grad_enabled())
            return self.table[user_ids, item_ids] + (1.0 if self.training else 0.0)

    model = Table().train()
    rmse = evaluate_rmse(model, *(torch.as_tensor(getattr(world, n)) for n in ("user_ids", "item_ids", "ratings")))
    return {"rmse": rmse, "training": any(model.modes), "gradients": any(model.gradients), "calls": len(model.modes)}


@evaluate_rmse.judge
def _(seen, world):
    yield expect(
        int(seen["calls"]) > 0,
        came_back="no call of model(user_ids, item_ids)",
        expected="at least one",
        slip="Score the pairs with the model that is passed in.",
    )
    yield expect(
        not bool(seen["training"]),
        call="evaluate_rmse(model, ...) after model.train()",
        came_back="scores made in training mode",
        expected="scores made in evaluation mode",
        slip="Call model.eval() first: dropout is for training only.",
    )
    errors = np.array([float(world.table[u, i]) - float(r) for u, i, r in pairs(world)])
    wanted = np.sqrt(np.mean(errors**2))
    slips = {
        "That is the mean squared error: take its root, to be back in stars.": np.mean(errors**2),
        "That is the mean absolute error: square before you average.": np.mean(np.abs(errors)),
    }
    slip = recognise(
        seen["rmse"], slips, "One root of one mean over all rows; a mean of batches' RMSEs is another number."
    )
    yield expect_close(seen["rmse"], wanted, atol=1e-4, slip=slip)
    yield expect(
        not bool(seen["gradients"]),
        call="evaluate_rmse(...), asking torch.is_grad_enabled() in the model",
        came_back="gradients were recorded",
        expected="none",
        slip="Evaluate under torch.no_grad(): nothing is learnt here, so nothing need be remembered.",
        saw=f"RMSE {wanted:.4f} over {len(errors)} rows, without dropout and without gradients.",
    )


def curve_world(rng: np.random.Generator) -> World:
    """Made-up curves: the validation RMSE starts highest and is lowest twice, not in the first two or last epochs.

    So the epochs that the usual mistakes return all differ: counted from 0, the later of two, the highest, the last.
    """
    n_epochs = int(rng.integers(7, 10))
    valid = 1.0 + np.round(rng.uniform(0.05, 0.5, n_epochs), 3)
    best = int(rng.integers(2, n_epochs - 3))
    valid[0], valid[[best, best + 2]] = 1.6, 0.95
    train = np.sort(np.round(rng.uniform(0.5, 0.9, n_epochs), 3))[::-1].copy()
    return World(public={"n_epochs": n_epochs, "valid": valid, "train": train}, secret={"best": best})


@check(points=1, call="fit(train_one_epoch, measures, n_epochs)", world=curve_world)
def fit(fit, world):
    """Train, then measure, n_epochs times; keep every number."""
    done, too_early = [], []

    def measure(values):
        def value() -> float:
            if not done:
                too_early.append(0)
            return float(values[min(len(done), len(values)) - 1])

        return value

    history = fit(
        lambda: done.append(0), {"train": measure(world.train), "valid": measure(world.valid)}, world.n_epochs
    )
    seen = {"n_trained": len(done), "too_early": len(too_early)}
    if not isinstance(history, Mapping):
        return {**seen, "names": history}
    curves = {f"history_{name}": history[name] for name in ("train", "valid") if name in history}
    return {**seen, "names": sorted(map(str, history)), **curves}


@fit.judge
def _(seen, world):
    yield expect_equal(
        seen["n_trained"],
        world.n_epochs,
        call="fit(...), counting the calls of train_one_epoch",
        slip="Call train_one_epoch() once an epoch.",
    )
    yield expect(
        int(seen["too_early"]) == 0,
        came_back=f"{int(seen['too_early'])} calls of a measure before the first training",
        expected="every measure called after each epoch",
        slip="Train first, then measure, n_epochs times: n_epochs numbers for each name.",
    )
    yield expect_equal(
        seen["names"],
        ["train", "valid"],
        call="fit(...), looking at the names in its history",
        slip="Return a dict that has one list for each measure, under its name.",
    )
    slip = "After every epoch, append what each measure returns: n_epochs numbers each, in order."
    if getattr(seen["history_train"], "shape", None) == (2 * world.n_epochs,):
        slip = "All names share one list (as dict.fromkeys(measures, []) makes it): give each name a list of its own."
    for name in ("train", "valid"):
        yield expect_close(
            seen[f"history_{name}"],
            getattr(world, name),
            call=f"fit(...)[{name!r}]",
            slip=slip,
            saw=f"{world.n_epochs} epochs, each measured after it." if name == "valid" else "",
        )


@check(points=2, call="fit_and_restore(model, train_one_epoch, measure, n_epochs)", world=curve_world)
def fit_and_restore(fit_and_restore, world):
    """The model ends with the weights of its best epoch."""
    import torch

    model = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.zero_()
    epochs = []

    def train_one_epoch():
        epochs.append(0)
        with torch.no_grad():
            model.weight += 1.0  # in place, as an optimiser does: the weights tell the epoch

    def measure():
        return float(world.valid[max(len(epochs) - 1, 0)]) if epochs else float("inf")

    best_epoch = fit_and_restore(model, train_one_epoch, measure, world.n_epochs)
    return {"best_epoch": best_epoch, "weight": model.weight[0, 0], "n_trained": len(epochs)}


@fit_and_restore.judge
def _(seen, world):
    n_epochs, best = world.n_epochs, world.best + 1
    yield expect_equal(
        seen["n_trained"],
        n_epochs,
        call="fit_and_restore(...), counting the calls of train_one_epoch",
        slip="Train for all n_epochs: a later epoch may still be better.",
    )
    slip = "Epochs count from 1; of two epochs with the same lowest value take the earlier."
    if isinstance(seen["best_epoch"], np.ndarray) and seen["best_epoch"].size == 1:
        got = int(seen["best_epoch"].reshape(()))
        if got == best - 1:
            slip = "Epochs count from 1: after the first one the epoch is 1."
        elif got == n_epochs:
            slip = "That is the last epoch, whatever it measured: remember the number of the best one."
        elif got == best + 2:
            slip = "Two epochs share the lowest value: take the earlier one, so keep on a strictly lower value only."
        elif got == int(np.argmax(world.valid)) + 1:
            slip = "Lower RMSE is better."
    yield expect_equal(seen["best_epoch"], best, slip=slip)
    slip = "Put the weights of the best epoch back with model.load_state_dict."
    if np.isclose(float(seen["weight"]), n_epochs):
        slip = (
            "The model still holds the last epoch's weights. state_dict() refers to the live tensors, which training "
            "goes on changing: keep a deep copy, and load it at the end."
        )
    yield expect_close(
        seen["weight"],
        np.float64(best),
        call="fit_and_restore(...), looking at the weights after it",
        slip=slip,
        saw=f"Best of {n_epochs} epochs: number {best}, and its weights are back in the model.",
    )
