"""Lesson 04: batches of whole tensors, and the loop that trains on them."""

from __future__ import annotations

import contextlib
import io
from itertools import islice

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_array, expect_close, expect_equal, format_value, likely
from course_utils.checks.framework import World, check

MAX_BATCHES = 1000
A_PAIR = "Each batch is a pair of tensors: the features (B, 2) and the targets (B,) of the same rows."


def batches_world(rng: np.random.Generator) -> World:
    """Rows that name themselves: features (row, 1000 + row), target row / 2."""
    n = int(rng.integers(400, 440))
    batch_size = int(rng.choice([b for b in range(40, 60) if n % b > 1]))
    seeds = rng.choice(10_000, 2, replace=False)
    return World(public={"n": n, "batch_size": batch_size, "seed": int(seeds[0]), "other_seed": int(seeds[1])})


@check(
    points=2,
    call="whole_batches(features, targets, batch_size, generator)",
    world=batches_world,
    hints={
        "RuntimeError": "torch.randperm(n, generator=generator) draws the order; index tensors by tensors of int64."
    },
)
def whole_batches(whole_batches, world):
    """Every row once, in pairs, in a random order that the generator decides, and without fetching rows."""
    import torch

    calls = [0]

    class Counted(torch.Tensor):
        """A tensor that counts what is done to it."""

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            calls[0] += 1
            return super().__torch_function__(func, types, args, kwargs or {})

    rows = torch.arange(world.n)
    features = torch.stack([rows, 1000 + rows], dim=1).as_subclass(Counted)
    targets = (rows / 2).as_subclass(Counted)
    generator = torch.Generator().manual_seed(world.seed)
    again = torch.Generator().manual_seed(world.seed)
    other = torch.Generator().manual_seed(world.other_seed)
    seen = {}
    for case, draws in (("", generator), ("_second", generator), ("_again", again), ("_other", other)):
        calls[0] = 0
        result = whole_batches(features, targets, world.batch_size, draws)
        seen |= {name + case: value for name, value in epoch_of(result).items()}
        seen["calls" + case] = calls[0]
    return seen


def epoch_of(result) -> dict:
    """Sizes, features and targets of the batches of one epoch; only a description where they are no pairs."""
    import torch

    try:
        pairs = [tuple(pair) for pair in islice(iter(result), MAX_BATCHES)]
        columns = [[torch.as_tensor(one).as_subclass(torch.Tensor) for one in column] for column in zip(*pairs)]  # noqa: B905
        features, targets = (torch.cat(column) for column in columns)
        return {"sizes": [len(pair[1]) for pair in pairs], "features": features, "targets": targets}
    except (TypeError, ValueError, RuntimeError, IndexError):
        return {"sizes": None, "returned": type(result).__name__}


@whole_batches.judge
def _(seen, world):
    n, size = world.n, world.batch_size
    if not isinstance(seen["sizes"], np.ndarray):
        yield Finding(0, came_back=str(seen["returned"]), expected="pairs (features, targets)", slip=A_PAIR)
    wanted = [size] * (n // size) + [n % size]
    got = np.asarray(seen["sizes"])
    slip = "batch_size rows in every batch; what is left over makes the last, smaller one."
    if got.tolist() == wanted[:-1]:
        slip = "The last batch is missing: it is smaller than the others, and its rows count as well."
    yield expect_equal(got, wanted, call="the sizes of the batches", slip=slip)
    yield expect_array(seen["features"], shape=(n, 2), call="the features of all batches", slip=A_PAIR)
    yield expect_array(seen["targets"], shape=(n,), call="the targets of all batches", slip=A_PAIR)
    order = np.asarray(seen["features"])[:, 0]
    yield expect(
        np.array_equal(np.asarray(seen["targets"]) * 2, order) and np.array_equal(seen["features"][:, 1], 1000 + order),
        came_back=f"features of the rows {format_value(order)} with targets of others",
        expected="the target of the very same row beside each pair of features",
        slip="Features and targets were shuffled apart: draw one order, and index both by it.",
    )
    counts = np.bincount(order.astype(int) % n, minlength=n)
    yield expect(
        (counts == 1).all(),
        came_back=f"{int((counts > 1).sum())} rows several times and {int((counts == 0).sum())} not at all",
        expected="every row exactly once an epoch",
        slip="A random order is a permutation: torch.randperm, not torch.randint, which draws rows again and again.",
    )
    yield expect(
        not np.array_equal(order, np.arange(n)),
        came_back="the rows in their own order",
        expected="a random order",
        slip="Shuffle: draw an order with torch.randperm(n, generator=generator).",
    )
    within = [sorted(part.tolist()) for part in np.array_split(order, np.cumsum(wanted)[:-1])]
    yield expect(
        any(part != list(range(int(min(part)), int(min(part)) + len(part))) for part in within),
        came_back="batches that always hold neighbouring rows",
        expected="rows from everywhere in each batch",
        slip="Only the order of the batches is random: shuffle the rows, then cut.",
    )
    yield expect(
        not np.array_equal(seen["features_second"], seen["features"]),
        call="whole_batches(...) called a second time with the same generator",
        came_back="the same order again",
        expected="another order",
        slip="A seed that is fixed inside gives every epoch the same order: draw from the generator that is passed in.",
    )
    slip = "Draw the order from the generator that is passed in: torch.randperm(n, generator=generator)."
    yield expect(
        np.array_equal(seen["features_again"], seen["features"]),
        call="whole_batches(...) with a new generator of the same seed",
        came_back="another order",
        expected="the same order",
        slip=slip,
    )
    yield expect(
        not np.array_equal(seen["features_other"], seen["features"]),
        call="whole_batches(...) with a generator of another seed",
        came_back="the same order",
        expected="another order",
        slip=slip,
    )
    calls = int(seen["calls"])
    yield expect(
        calls < n,
        call=f"whole_batches(...) for {n} rows, counting operations on the two tensors",
        came_back=f"{calls} operations",
        expected=f"a few for each of the {len(wanted)} batches",
        slip="Rows are fetched one by one (a DataLoader does that): index by a whole piece of the order at once.",
        saw=f"{n} rows in {len(wanted)} batches, each row once, in an order that the generator decides.",
    )


BETAS, EPSILON = (0.9, 0.999), 1e-8


def fit_world(rng: np.random.Generator) -> World:
    """Three epochs of three uneven batches over the same rows, and a model with one number a user."""
    sizes = np.array([6, 5, 2])
    n = int(sizes.sum())
    public = {
        "sizes": sizes,
        "orders": np.array([rng.permutation(n) for _ in range(3)]),
        "features": np.column_stack([rng.integers(0, 4, n), rng.integers(0, 9, n)]),
        "targets": rng.integers(1, 6, n).astype(np.float32),
        "start": rng.normal(2, 1, 4).astype(np.float32),
        "learning_rate": round(float(rng.uniform(0.1, 0.3)), 3),
    }
    return World(public=public)


@check(
    points=2,
    call="fit(model, epoch_batches, n_epochs, learning_rate)",
    world=fit_world,
    hints={"TypeError": "epoch_batches is a function: call it, epoch_batches(), for the batches of every epoch."},
)
def fit(fit, world):
    """Adam, one step a batch, and the mean loss over the rows of each epoch."""
    import torch

    class UserBias(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bias = torch.nn.Parameter(torch.as_tensor(world.start).clone())
            self.n_calls = 0

        def forward(self, features):
            self.n_calls += 1
            return self.bias[features[:, 0]]

    model, epochs = UserBias(), []
    features, targets = torch.as_tensor(world.features), torch.as_tensor(world.targets)

    def epoch_batches():
        order = torch.as_tensor(world.orders[min(len(epochs), len(world.orders) - 1)])
        epochs.append(0)
        return iter([(features[rows], targets[rows]) for rows in order.split(world.sizes.tolist())])

    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar, of no use here
        losses = fit(model, epoch_batches, len(world.orders), world.learning_rate)
    return {"losses": losses, "bias": model.bias, "n_calls": model.n_calls, "n_epochs": len(epochs)}


@fit.judge
def _(seen, world):
    n_epochs, n_batches = len(world.orders), len(world.orders) * len(world.sizes)
    yield expect_equal(
        seen["n_epochs"],
        n_epochs,
        call="fit(...), counting the calls of epoch_batches",
        slip="Ask epoch_batches() for new batches in every epoch: the ones of the last epoch are used up.",
    )
    yield expect_equal(
        seen["n_calls"],
        n_batches,
        call="fit(...), counting the calls of the model",
        slip="Score each batch once, in every epoch.",
    )
    bias, losses = adam(world)
    slips = {
        "The weights have not moved: zero_grad, then loss.backward(), then optimizer.step().": world.start,
        "Gradients add up until you clear them: call optimizer.zero_grad() for every batch.": adam(world, keep=True)[0],
        "Adam remembers earlier steps: make one optimiser before the first epoch, not one in each.": adam(
            world, anew=True
        )[0],
        "That is plain gradient descent: use torch.optim.Adam.": adam(world, plain=True)[0],
        "The learning rate is Adam's default of 0.001: pass lr=learning_rate.": adam(world, rate=1e-3)[0],
        "Those are the weights after one step for each epoch: step once for every batch.": adam(world, lazy=True)[0],
    }
    slip = likely(
        seen["bias"], slips, "For each batch: mean squared error, zero_grad, backward, step; Adam throughout."
    )
    # float32 rounding stays below 1e-4 after nine steps; AdamW's default decay moves the weights by more than 1e-3
    yield expect_close(seen["bias"], bias, atol=5e-4, call="fit(...), looking at the weights after it", slip=slip)
    weights = world.sizes / world.sizes.sum()
    mistakes = {
        "That is the mean over batches: the last one is smaller, so weigh each by its rows.": losses.mean(axis=1),
        "That is the loss of each epoch's last batch.": losses[:, -1],
        "That is the sum of the batches' losses: divide by the rows of the epoch.": losses.sum(axis=1),
        "That is the sum over the rows: divide by their number.": losses @ world.sizes,
        "That is the root of the mean squared error: the loss is the mean squared error itself.": np.sqrt(
            losses @ weights
        ),
    }
    slip = likely(seen["losses"], mistakes, "n_epochs numbers: the mean squared error over all rows of each epoch.")
    if np.shape(seen["losses"]) == (n_batches,):
        slip = "That is one number a batch: return one for each epoch."
    saw = f"{n_epochs} epochs of {len(world.sizes)} uneven batches, one step of Adam for each, and a loss an epoch."
    yield expect_close(seen["losses"], losses @ weights, atol=1e-3, slip=slip, saw=saw)


def adam(world, keep=False, anew=False, plain=False, rate=None, lazy=False) -> tuple[np.ndarray, np.ndarray]:
    """Adam by hand (Kingma and Ba 2015, algorithm 1): (4,) weights at the end, and each batch's loss by epoch.

    keep   the gradients are never cleared
    anew   a new optimiser for every epoch
    plain  gradient descent instead
    lazy   one step an epoch, after its last batch
    """
    rate = world.learning_rate if rate is None else rate
    bias, gradient, losses = world.start.astype(float), np.zeros(4), []
    first, second, step = np.zeros(4), np.zeros(4), 0
    for order in world.orders:
        if anew:
            first, second, step = np.zeros(4), np.zeros(4), 0
        for part in np.split(order, np.cumsum(world.sizes)[:-1]):
            users, stars = world.features[part, 0], world.targets[part]
            errors = bias[users] - stars
            losses.append(np.mean(errors**2))
            own = np.bincount(users, weights=2 * errors / len(part), minlength=4)
            gradient = gradient + own if keep else own
            if lazy and part[-1] != order[-1]:
                continue
            step += 1
            first = BETAS[0] * first + (1 - BETAS[0]) * gradient
            second = BETAS[1] * second + (1 - BETAS[1]) * gradient**2
            move = first / (1 - BETAS[0] ** step) / (np.sqrt(second / (1 - BETAS[1] ** step)) + EPSILON)
            bias = bias - rate * (gradient if plain else move)
    return bias, np.array(losses).reshape(len(world.orders), -1)
