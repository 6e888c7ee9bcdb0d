"""What makes NCF and the MLP good: one change at a time, on recommender_pytorch's split of MovieLens 100K.

    python benchmarks/ncf_recipes.py [--folder DIR] [--only WORDS] [--epochs 20] [--seeds 1]

The published recipes, and ours with something changed: start, loss, negatives, regularisation, dropout, a dot product
in place of the layers or beside them. The latest training item of every user is their validation item; after each epoch
both it and the test item are ranked among 100 others that the user has in neither part, drawn once. The epoch is chosen
by NDCG@10 on validation items, and the table shows that epoch's figures on test items; beside them the HR@10 that an
epoch chosen on test items would have shown. A plain training loop, without Lightning: less to wait for.
"""

import argparse
import os
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from course_utils.baselines.pairs import to_matrix
from course_utils.baselines.popularity import Popularity
from course_utils.evaluation import catalogue_ranks, hit_rate_at, ndcg_at, sampled_ranks
from course_utils.interactions import EncodedRatings, encode
from course_utils.negatives import SeenItems, sample_distinct_negatives, sample_negatives
from course_utils.splits import leave_one_out
from course_utils.training import batches

N_RANKED, TOP_K = 100, 10


@dataclass(frozen=True)
class Recipe:
    """A net and how it is trained. `start` is the standard deviation of the vectors before training; torch's is 1."""

    hidden: tuple[int, ...] = (64, 32)
    n_factors: int = 8
    dot: bool = False
    start: float = 0.01
    dropout: float = 0.0
    loss: str = "cross-entropy"
    n_negatives: int = 4
    batch_size: int = 2048
    learning_rate: float = 4e-3
    weight_decay: float = 0.0
    vector_decay: float = 0.0
    n_epochs: int | None = None


OURS = Recipe()
MLP = Recipe(hidden=(32, 16, 8))
RECIPES = {
    "NCF as published (5 epochs, batch 512, rate 0.001, torch's start)": Recipe(
        start=1.0, batch_size=512, learning_rate=1e-3, n_epochs=5
    ),
    "MLP as published (30 epochs, batch 256, rate 0.001, decay 1e-5)": replace(
        MLP, start=1.0, batch_size=256, learning_rate=1e-3, weight_decay=1e-5, n_epochs=30
    ),
    "NCF, torch's start": replace(OURS, start=1.0),
    "NCF, small start": OURS,
    "MLP, small start": MLP,
    "NCF, small start, dropout 0.2": replace(OURS, dropout=0.2),
    "NCF, small start, decoupled decay 0.05 on vectors": replace(OURS, vector_decay=0.05),
    "NCF, small start, 8 negatives": replace(OURS, n_negatives=8),
    "NCF, small start, BPR loss": replace(OURS, loss="bpr"),
    "NCF, small start, vectors of 32": replace(OURS, n_factors=32),
    "NCF and a dot product, small start": replace(OURS, dot=True),
    "dot product and item bias, small start": Recipe(hidden=(), dot=True),
    "dot product and item bias, small start, decay 0.05": Recipe(hidden=(), dot=True, vector_decay=0.05),
}


class Net(nn.Module):
    """Layers over both vectors, or their dot product with an item bias, or the sum of the two."""

    def __init__(self, n_users: int, n_items: int, recipe: Recipe) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, recipe.n_factors), nn.Embedding(n_items, recipe.n_factors)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, 0, recipe.start)
        sizes, steps = (2 * recipe.n_factors, *recipe.hidden), []
        for before, after in pairwise(sizes):
            steps += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(recipe.dropout)]
        self.layers = nn.Sequential(*steps, nn.Linear(sizes[-1], 1)) if steps else None
        self.bias = nn.Parameter(torch.zeros(n_items)) if recipe.dot else None

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        p, q = self.users(user_ids), self.items(item_ids)
        scores = self.layers(torch.cat([p, q], dim=-1))[:, 0] if self.layers else torch.zeros(len(p))
        return scores if self.bias is None else scores + (p * q).sum(dim=-1) + self.bias[item_ids]

    @torch.no_grad()
    def predict(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        return self.eval()(torch.as_tensor(user_ids), torch.as_tensor(item_ids)).numpy()


@dataclass(frozen=True)
class Parts:
    """The three parts, with the same dense ids, and the negatives that held-back items are ranked among."""

    train: EncodedRatings
    valid: EncodedRatings
    test: EncodedRatings
    valid_negatives: np.ndarray
    test_negatives: np.ndarray

    def figures(self, predict, part: str) -> tuple[float, float]:
        """(HR, NDCG) of the part's items among their negatives."""
        held_back, negatives = getattr(self, part), getattr(self, f"{part}_negatives")
        ranks = sampled_ranks(predict, held_back.user_ids, held_back.item_ids, negatives)
        return hit_rate_at(ranks, TOP_K).mean(), ndcg_at(ranks, TOP_K).mean()

    def full_hit_rate(self, predict) -> float:
        """HR among all items that the user has in neither of the first two parts."""
        users, n_items = self.test.user_ids, self.test.n_items
        before = [np.append(getattr(self.train, name), getattr(self.valid, name)) for name in ("user_ids", "item_ids")]
        seen = to_matrix(*before, self.test.n_users, n_items)[users]

        def score(rows: np.ndarray) -> np.ndarray:
            pairs = np.repeat(users[rows], n_items), np.tile(np.arange(n_items), len(rows))
            return predict(*pairs).reshape(len(rows), n_items)

        return hit_rate_at(catalogue_ranks(score, self.test.item_ids, seen=seen, batch_size=128), TOP_K).mean()


def read(folder: Path) -> Parts:
    columns = ["user_id", "item_id", "rating", "timestamp"]
    history, test = (
        pd.read_csv(folder / f"movielens.{name}.rating", sep="\t", header=None, names=columns)
        for name in ("train", "test")
    )
    history["position"], test["position"] = np.arange(len(history)), len(history) + np.arange(len(test))
    everything = encode(pd.concat([history, test]))
    train, valid, test = (encode(p, everything.users, everything.items) for p in (*leave_one_out(history), test))
    met = SeenItems(everything.user_ids, everything.item_ids, everything.n_users, everything.n_items)
    rng = np.random.default_rng(0)
    drawn = [sample_distinct_negatives(part.user_ids, met, N_RANKED, rng) for part in (valid, test)]
    return Parts(train, valid, test, *drawn)


def run(parts: Parts, recipe: Recipe, n_epochs: int, seed: int) -> tuple:
    """(best epoch, its HR and NDCG on test items, its full HR, the best HR on test of any epoch, CPU seconds)."""
    torch.manual_seed(seed)
    started, train, rng = time.process_time(), parts.train, np.random.default_rng(seed)
    seen = SeenItems(train.user_ids, train.item_ids, train.n_users, train.n_items)
    net = Net(train.n_users, train.n_items, recipe)
    vectors = [net.users.weight, net.items.weight]
    others = [parameter for parameter in net.parameters() if not any(parameter is one for one in vectors)]
    if recipe.weight_decay:
        optimizer = torch.optim.Adam(net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    else:
        groups = [{"params": vectors, "weight_decay": recipe.vector_decay}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    best, on_test = (-1.0,), []
    for epoch in range(1, n_epochs + 1):
        train_epoch(net, optimizer, train, sample_negatives(train.user_ids, seen, recipe.n_negatives, rng), recipe)
        value, test = parts.figures(net.predict, "valid")[1], parts.figures(net.predict, "test")
        on_test.append(test[0])
        if value > best[0]:
            best = (value, epoch, *test, {name: tensor.clone() for name, tensor in net.state_dict().items()})
    net.load_state_dict(best[4])
    return *best[1:4], parts.full_hit_rate(net.predict), max(on_test), time.process_time() - started


def train_epoch(net: Net, optimizer, train: EncodedRatings, negatives: np.ndarray, recipe: Recipe) -> None:
    net.train()
    n, k = negatives.shape
    users, items, drawn = (torch.from_numpy(ids) for ids in (train.user_ids, train.item_ids, negatives))
    generator = torch.Generator().manual_seed(int(torch.randint(2**31, ()).item()))
    if recipe.loss == "bpr":
        for u, i, j in batches(users, items, drawn, batch_size=recipe.batch_size // (k + 1), generator=generator):
            worse = net(u.repeat_interleave(k), j.reshape(-1)).reshape(-1, k)
            step(optimizer, -nn.functional.logsigmoid(net(u, i)[:, None] - worse).mean())
        return
    labels = torch.cat([torch.ones(n), torch.zeros(n * k)])
    users, items = torch.cat([users, users.repeat_interleave(k)]), torch.cat([items, drawn.reshape(-1)])
    for u, i, label in batches(users, items, labels, batch_size=recipe.batch_size, generator=generator):
        step(optimizer, nn.functional.binary_cross_entropy_with_logits(net(u, i), label))


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(os.environ.get("COURSE_DATA_DIR", ".")) / "recommender_pytorch"
    parser.add_argument(
        "--folder", type=Path, default=folder, help="of movielens.train.rating and movielens.test.rating"
    )
    parser.add_argument("--only", default="", help="only recipes whose name contains this")
    parser.add_argument("--epochs", type=int, default=20, help="of recipes that do not say")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each recipe; the table shows means")
    given = parser.parse_args()
    console = Console(width=max(120, Console().width), highlight=False)
    if not given.folder.is_dir():
        console.print(f"There is no folder {given.folder}: nothing to measure on.")
        return
    torch.set_num_threads(1)
    parts = read(given.folder)
    table = Table("recipe", "epoch", "HR@10", "NDCG@10", "HR@10, all items", "HR@10, best on test", "CPU s")
    popular = Popularity().fit(
        parts.train.user_ids, parts.train.item_ids, n_users=parts.train.n_users, n_items=parts.train.n_items
    )
    cells = *parts.figures(popular.predict, "test"), parts.full_hit_rate(popular.predict)
    table.add_row("ItemPop", "", *(f"{value:.3f}" for value in cells), "", "")
    for name, recipe in RECIPES.items():
        if given.only not in name:
            continue
        with console.status(name):
            runs = [run(parts, recipe, recipe.n_epochs or given.epochs, seed) for seed in range(given.seeds)]
        epoch, *values, seconds = np.mean(runs, axis=0)
        table.add_row(name, f"{epoch:.0f}", *(f"{value:.3f}" for value in values), f"{seconds:.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
