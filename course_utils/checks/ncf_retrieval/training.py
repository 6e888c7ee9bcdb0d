"""Lesson 02: fresh negatives for every epoch, and the epoch that is best on validation items."""

from __future__ import annotations

import contextlib
import io
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_array, expect_equal, format_value
from course_utils.checks.framework import World, check
from course_utils.checks.ncf_retrieval.worlds import encoded, met, worth

MAX_BATCHES = 2000
A_TRIPLE = "Each batch is a triple of tensors: user_ids (B,), item_ids (B,) and labels (B,)."


def pairs_world(rng: np.random.Generator) -> World:
    n_users, n_items = int(rng.integers(20, 24)), int(rng.integers(50, 60))
    seen = met(rng, n_users, n_items, 0.3)
    user_ids, item_ids = np.nonzero(seen)
    order = rng.permutation(len(user_ids))
    k = int(rng.integers(3, 6))
    n_rows = len(user_ids) * (k + 1)
    batch_size = int(rng.choice([b for b in range(40, 60) if n_rows % b > 1]))
    public = {
        "user_ids": user_ids[order],
        "item_ids": item_ids[order],
        "n_users": n_users,
        "n_items": n_items,
        "n_negatives": k,
        "batch_size": batch_size,
    }
    return World(public=public)


@check(
    points=3,
    call="FreshPairs(train, n_negatives, batch_size, rng).train_dataloader()",
    world=pairs_world,
    hints={"ValueError": "sample_negatives takes the user id of each positive, and a SeenItems of train."},
)
def fresh_pairs(fresh_pairs, world):
    """Every positive once and n_negatives others for its user, in random order, drawn afresh by every call."""
    train = encoded(world.user_ids, world.item_ids, world.n_users, world.n_items)
    data = fresh_pairs(train, world.n_negatives, world.batch_size, np.random.default_rng(11))
    seen = {}
    for case in ("", "_second", "_third"):
        seen |= {name + case: value for name, value in epoch_of(data.train_dataloader()).items()}
    return seen


def epoch_of(loader) -> dict:
    """Sizes, users, items and labels of the batches of one epoch; only a description where they are no triples."""
    import torch

    batches = []
    try:
        batches = [tuple(batch) for batch in islice(iter(loader), MAX_BATCHES)]
        columns = [torch.cat([torch.as_tensor(one) for one in column]) for column in zip(*batches)]  # noqa: B905
        users, items, labels = columns
        sizes = [len(batch[2]) for batch in batches]
        return {"sizes": sizes, "users": users, "items": items, "labels": labels, "dtype": str(labels.dtype)}
    except (TypeError, ValueError, RuntimeError, IndexError):
        shapes = [str(tuple(one.shape)) for one in (batches or [()])[0] if hasattr(one, "shape")]
        first = f", whose first batch has the shapes {', '.join(shapes)}" if shapes else ""
        nested = bool(shapes) and all(shape.startswith("(1, ") for shape in shapes)
        return {"sizes": None, "returned": type(loader).__name__ + first, "nested": nested}


@fresh_pairs.judge
def _(seen, world):
    k, n = world.n_negatives, len(world.user_ids)
    if not isinstance(seen["sizes"], np.ndarray):
        expected = "something that yields triples (user_ids, item_ids, labels)"
        slip = A_TRIPLE
        if isinstance(seen["nested"], np.ndarray) and bool(seen["nested"]):
            slip += " Yours are batches of one batch: where a sampler hands out whole batches, batch_size=None."
        yield Finding(0, came_back=str(seen["returned"]), expected=expected, slip=slip)
    for name in ("users", "items", "labels"):
        slip = f"{n} positives and {k} negatives for each make {n * (k + 1)} rows an epoch."
        yield expect_array(seen[name], shape=(n * (k + 1),), call=f"{name} of all batches of an epoch", slip=slip)
    users, items, labels = (np.asarray(seen[name]) for name in ("users", "items", "labels"))
    yield expect(
        str(seen["dtype"]) == "torch.float32",
        came_back=f"labels of {seen['dtype']}",
        expected="torch.float32",
        slip="The loss compares labels with scores: both are float32.",
    )
    positives, negatives = labels == 1, labels == 0
    slip = f"Labels are 1 for what was met and 0 for what was drawn: {n} ones, {n * k} zeros."
    yield expect(
        int(positives.sum()) == n and int(negatives.sum()) == n * k,
        came_back=f"{int(positives.sum())} ones and {int(negatives.sum())} zeros",
        expected=f"{n} ones and {n * k} zeros",
        slip=slip,
    )
    pairs = users * world.n_items + items
    known = world.user_ids * world.n_items + world.item_ids
    slip = "The label belongs to its pair: are users, items and labels in the same order?"
    yield expect(
        np.array_equal(np.sort(pairs[positives]), np.sort(known)),
        call="the pairs with label 1",
        came_back=f"{int(np.isin(pairs[positives], known).sum())} of {n} that are in train",
        expected="every pair of train, once an epoch",
        slip=slip,
    )
    hits = int(np.isin(pairs[negatives], known).sum())
    slip = "A negative is an item that the user of *its row* has not met: draw by sample_negatives, and keep each user "
    slip += "beside the items that were drawn for them (np.repeat keeps a user's rows together, np.tile does not)."
    yield expect(
        hits == 0,
        call="the pairs with label 0",
        came_back=f"{hits} of {n * k} that are in train",
        expected="none",
        slip=slip,
    )
    wanted = np.bincount(world.user_ids, minlength=world.n_users) * k
    yield expect_equal(
        np.bincount(users[negatives], minlength=world.n_users),
        wanted,
        call="the number of negatives of each user",
        slip=f"{k} negatives for each positive, for the same user.",
    )
    yield from batches_findings(seen, world)
    yield from fresh_findings(seen, world)


def batches_findings(seen, world):
    size, n_rows = world.batch_size, len(world.user_ids) * (world.n_negatives + 1)
    wanted = [size] * (n_rows // size) + [n_rows % size]
    slip = "batch_size rows in every batch; what is left over makes the last, smaller one."
    yield expect_equal(seen["sizes"], wanted, call="the sizes of the batches", slip=slip)
    labels = np.asarray(seen["labels"])
    shares = [part.mean() for part in np.split(labels, np.cumsum(wanted)[:-1])][:-1]
    chance = 1 / (world.n_negatives + 1)
    # Within a shuffled batch of 40 the share of positives has a standard deviation of 0.07; sorted, it is 0 or 1.
    mixed = max(abs(share - chance) for share in shares) < 0.45 and np.ptp(shares) > 0.01
    users = np.asarray(seen["users"])
    mixed = mixed and np.mean(users[1:] == users[:-1]) < 0.4
    slip = "Shuffle: in the order of the table, a batch holds the rows of few users, or positives alone."
    yield expect(mixed, came_back="rows in the order of the table", expected="rows in random order", slip=slip)


def fresh_findings(seen, world):
    call = "FreshPairs(...).train_dataloader(), called once for each epoch"
    epochs = []
    for case in ("", "_second", "_third"):
        if not isinstance(seen["sizes" + case], np.ndarray):
            slip = "Every call gives a whole epoch: is something used up by the first?"
            yield Finding(0, call=call, came_back="no batches in a later epoch", expected="a whole epoch", slip=slip)
        users, items, labels = (np.asarray(seen[name + case]) for name in ("users", "items", "labels"))
        epochs.append((users * world.n_items + items, labels))
    known = world.user_ids * world.n_items + world.item_ids
    drawn = [np.sort(pairs[labels == 0]) for pairs, labels in epochs]
    frozen = any(np.array_equal(drawn[0], other) for other in drawn[1:])
    saw = "Positives and negatives of an epoch are right."
    slip = "Negatives frozen across epochs: draw them in train_dataloader, which is called for each, not in __init__."
    yield worth(
        1 / 3,
        expect(
            not frozen,
            call=call,
            came_back="the same negatives in every epoch",
            expected="fresh negatives in every epoch",
            slip=slip,
        ),
        saw,
    )
    good = all(np.array_equal(np.sort(pairs[labels == 1]), np.sort(known)) for pairs, labels in epochs)
    sizes = [len(pairs) for pairs, _ in epochs]
    slip = "Every epoch starts from train alone: does one add to what the epoch before it left?"
    yield worth(
        1 / 3,
        expect(
            good and len(set(sizes)) == 1 and not np.isin(np.concatenate(drawn), known).any(),
            call=call,
            came_back=f"epochs of {format_value(np.array(sizes))} rows",
            expected=f"{sizes[0]} rows each: the same positives, other negatives",
            slip=slip,
        ),
        saw,
    )
    shared = len(np.intersect1d(drawn[0], drawn[1])) / max(len(np.unique(drawn[0])), 1)
    yield Finding(
        1,
        saw=f"{len(known)} positives and {world.n_negatives} negatives each, none of them met, and other negatives in "
        f"the next epoch ({shared:.0%} come again, by chance).",
    )


def epochs_world(rng: np.random.Generator) -> World:
    """Curves on validation and test items whose best, worst and last epochs all differ."""
    n_epochs = int(rng.integers(6, 8))
    valid, test = np.round(rng.uniform(0.30, 0.44, (2, n_epochs)), 3)
    best, best_test, worst = (int(e) for e in rng.choice(np.arange(1, n_epochs - 1), 3, replace=False))
    valid[best], test[best], test[best_test], valid[worst] = 0.50, 0.40, 0.55, 0.21
    return World(public={"n_epochs": n_epochs, "valid": valid, "test": test}, secret={"best": best + 1})


@check(
    points=3,
    call="fit_best(model, data, n_epochs, callbacks, folder)",
    world=epochs_world,
    hints={
        "MisconfigurationException": "ModelCheckpoint can only watch what is logged: the name is 'valid_ndcg'.",
        "FileNotFoundError": "No checkpoint was kept. One of `callbacks` logs 'valid_ndcg', so the Trainer needs "
        "them all: callbacks=[*callbacks, best].",
        "KeyError": "'valid_ndcg' is logged by one of `callbacks`: hand them all to the Trainer.",
        "UnpicklingError": "torch.load reads a checkpoint of your own with weights_only=False.",
    },
)
def fit_best(fit_best, world):
    """Data loaded anew for each epoch, and the weights of the best epoch on validation items in the end."""
    import lightning
    import torch
    from torch.utils.data import DataLoader

    from course_utils.lightning_quiet import hush

    hush()

    class Counter(lightning.LightningModule):
        """Its only weight is the number of epochs that it has been trained for."""

        def __init__(self):
            super().__init__()
            self.epochs = torch.nn.Parameter(torch.zeros(1))

        def training_step(self, batch, batch_idx):
            return -self.epochs.sum()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=1.0)

    class Data(lightning.LightningDataModule):
        loaded = 0

        def train_dataloader(self):
            Data.loaded += 1
            return DataLoader([0.0], batch_size=1)

    class Curves(lightning.Callback):
        """Logs the planted curves, as the lesson's callback logs measured ones."""

        def on_train_epoch_end(self, trainer, pl_module):
            epoch = min(round(pl_module.epochs.item()), len(world.valid)) - 1
            pl_module.log("valid_ndcg", float(world.valid[epoch]))
            pl_module.log("test_ndcg", float(world.test[epoch]))

    model, written = Counter(), io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(written):
        fit_best(model, Data(), int(world.n_epochs), [Curves()], Path(folder))
    seen = {"epochs": model.epochs, "loaded": Data.loaded}
    trainer = getattr(model, "_trainer", None)
    seen["trained"] = trainer.current_epoch if trainer is not None else -1
    return seen


@fit_best.judge
def _(seen, world):
    n = world.n_epochs
    trained = int(seen["trained"])
    slip = "A lightning.Trainer with max_epochs=n_epochs, and trainer.fit(model, data)."
    if int(seen["loaded"]) == 0:
        slip = "trainer.fit(model, data) takes the data from data.train_dataloader()."
    elif trained == 1000 or trained > n:
        slip = "Stop after n_epochs: max_epochs."
    yield expect(
        trained == n,
        call="fit_best(...), counting the epochs that the model was trained for",
        came_back=f"{trained} epochs" if trained >= 0 else "a model that no Trainer has seen",
        expected=f"{n}",
        slip=slip,
    )
    loaded = int(seen["loaded"])
    fresh = expect(
        loaded >= n,
        call="fit_best(...), counting the calls of data.train_dataloader()",
        came_back=f"{loaded} call{'s' * (loaded != 1)} in {n} epochs: the same negatives again and again",
        expected=f"{n}, one for each epoch",
        slip="Lightning keeps the first epoch's data unless the Trainer is told reload_dataloaders_every_n_epochs=1.",
    )
    yield expect_array(
        seen["epochs"], shape=(1,), call="the model's weight afterwards", slip="Keep the weights' shape."
    )
    kept = int(np.round(np.asarray(seen["epochs"]))[0])
    slip = "Load the checkpoint of the best epoch into the model: load_state_dict of its 'state_dict'."
    if kept == int(np.argmax(world.test)) + 1:
        slip = "That epoch is best on the test items, and was chosen with the answers in hand: watch valid_ndcg."
    elif kept == n:
        slip = "Those are the last epoch's weights: a checkpoint that is saved must also be loaded into the model. " + (
            "(And save_last is not the best.)"
        )
    elif kept == int(np.argmin(world.valid)) + 1:
        slip = 'That is the worst epoch: higher is better, so mode="max".'
    elif kept == 0:
        slip = "Those are the weights from before training."
    elif kept == 1:
        slip = "Those are the first epoch's weights: a ModelCheckpoint that watches nothing keeps any epoch it likes."
    best = expect(
        kept == world.best,
        call="fit_best(...), looking at the model's weights afterwards",
        came_back=f"the weights after epoch {kept}",
        expected=f"those after epoch {world.best}, whose valid_ndcg of {max(world.valid):.2f} is the highest",
        slip=slip,
    )
    yield worth(2 / 3 if best.ok else 0.0, fresh, "The best epoch's weights are put back.")
    yield worth(1 / 3, best, f"{n} epochs, with data loaded anew for each.")
    yield Finding(
        1, saw=f"{n} epochs, each with data of its own, and the weights of epoch {world.best}, the best on validation."
    )
