"""NCF with Lightning, from ratings to a hit rate, on one process or many: the lesson's recipe as a command.

    python benchmarks/ncf.py [--dataset ml-100k] [--user-share 1.0] [--epochs 5]
    python benchmarks/ncf.py --dataset ml-25m --user-share 0.3 --accelerator gpu --devices 4 --strategy ddp
    python benchmarks/ncf.py --dataset made-up --epochs 1 --limit-batches 200

Embeddings of 8 that start small, layers 64-32-1, binary cross-entropy on logits, four fresh negatives a positive in
every epoch. `--accelerator`, `--devices` and `--strategy` are Lightning's own flags and go to its Trainer as they are.
With several processes, each trains on an equal share of the positives, dealt anew in every epoch, and draws negatives
of its own; the gradients are averaged, so that a step takes `--batch-size` pairs from *each* process. What is prepared
(dense ids, split, who met what) every process prepares for itself.

The latest item of every user is held back, and ranked among 99 others, beside ItemPop. `made-up` has the size of 30 %
of the users of ML-25M: 48,762 users, 38,000 items and 7 million interactions with a long tail, about nothing.
"""

import argparse
import resource
import time
from collections.abc import Iterator

import lightning
import numpy as np
import torch
from negatives import Positives, made_up
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from course_utils import movielens
from course_utils.baselines.popularity import Popularity
from course_utils.evaluation import hit_rate_at, ndcg_at, sampled_ranks
from course_utils.interactions import encode
from course_utils.lightning_quiet import EpochBar, hush
from course_utils.negatives import SeenItems, sample_distinct_negatives, sample_negatives
from course_utils.splits import in_time_order, user_split
from course_utils.training import batches

N_NEGATIVES, N_RANKED, TOP_K = 4, 99, 10
SIZE_OF_25M = 48_762, 38_000, 7_000_000
SEED = 0


class NCF(lightning.LightningModule):
    """Two tables of vectors side by side, then layers of 64 and 32."""

    def __init__(self, n_users: int, n_items: int, learning_rate: float, start: float) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, 8), nn.Embedding(n_items, 8)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, 0, start)
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self.learning_rate = learning_rate

    def forward(self, user_ids: Tensor, item_ids: Tensor) -> Tensor:
        """Logits (B,) of pairs (B,) and (B,) int64."""
        return self.layers(torch.cat([self.users(user_ids), self.items(item_ids)], dim=-1))[:, 0]

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> Tensor:
        user_ids, item_ids, labels = batch
        return nn.functional.binary_cross_entropy_with_logits(self(user_ids, item_ids), labels)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)


class Epoch:
    """The batches of one epoch, cut from whole tensors: fetched row by row, 35 million pairs would take too long."""

    def __init__(self, tensors: list[Tensor], batch_size: int, seed: int) -> None:
        self.tensors, self.batch_size, self.seed = tensors, batch_size, seed

    def __len__(self) -> int:
        return -(-len(self.tensors[0]) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return batches(*self.tensors, batch_size=self.batch_size, generator=torch.Generator().manual_seed(self.seed))


class SharedPairs(lightning.LightningDataModule):
    """An equal share of the positives for each process, with fresh negatives, for every epoch.

    All shares have the same length, and at most as many positives as there are processes are left out: in a step, each
    process waits for all others, and for one that has no batch left it would wait for ever.
    """

    def __init__(self, positives: Positives, seen: SeenItems, batch_size: int) -> None:
        super().__init__()
        self.positives, self.seen, self.batch_size = positives, seen, batch_size

    def train_dataloader(self) -> Epoch:
        n_shares, own, epoch = self.trainer.world_size, self.trainer.global_rank, self.trainer.current_epoch
        dealt = np.random.default_rng([SEED, epoch]).permutation(len(self.positives.user_ids))  # the same for all
        rows = dealt[: len(dealt) // n_shares * n_shares][own::n_shares]
        users, items = self.positives.user_ids[rows], self.positives.item_ids[rows]
        negatives = sample_negatives(users, self.seen, N_NEGATIVES, np.random.default_rng([SEED, epoch, own]))
        labels = np.tile(np.array([1] + [0] * N_NEGATIVES, dtype=np.float32), len(users))
        columns = np.repeat(users, 1 + N_NEGATIVES), np.column_stack([items, negatives]).ravel(), labels
        return Epoch([torch.from_numpy(column) for column in columns], self.batch_size, SEED + epoch)


def read(dataset: str, user_share: float) -> tuple[Positives, np.ndarray, np.ndarray]:
    """What to train on, and the user and the item of each test row."""
    if dataset == "made-up":
        everything = made_up(*SIZE_OF_25M)
        user_ids, item_ids = everything.user_ids, everything.item_ids
    else:
        ratings = movielens.load(dataset).ratings
        if user_share < 1:
            _, ratings = user_split(ratings, user_share, rng=np.random.default_rng(SEED))
        everything = encode(in_time_order(ratings))
        user_ids, item_ids = everything.user_ids, everything.item_ids
    is_last = np.zeros(len(user_ids), dtype=bool)
    is_last[len(user_ids) - 1 - np.unique(user_ids[::-1], return_index=True)[1]] = True
    train = Positives(user_ids[~is_last], item_ids[~is_last], everything.n_users, everything.n_items)
    return train, user_ids[is_last], item_ids[is_last]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ml-100k", help="a name that `course data` lists, or made-up")
    parser.add_argument("--user-share", type=float, default=1.0, help="of the users, drawn at random")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=2048, help="pairs a step, in each process")
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--start", type=float, default=0.01, help="standard deviation of the vectors at the start")
    parser.add_argument("--limit-batches", type=int, help="batches an epoch at most, in each process")
    parser.add_argument("--accelerator", default="auto", help="Lightning's: auto, cpu, gpu")
    parser.add_argument("--devices", default="auto", help="Lightning's: how many, or auto")
    parser.add_argument("--strategy", default="auto", help="Lightning's: auto, ddp")
    given = parser.parse_args()
    hush()
    lightning.seed_everything(SEED, verbose=False)
    clock = [time.perf_counter()]
    train, test_users, targets = read(given.dataset, given.user_share)
    clock.append(time.perf_counter())
    seen = SeenItems(train.user_ids, train.item_ids, train.n_users, train.n_items)
    sample_negatives(train.user_ids, seen, N_NEGATIVES, np.random.default_rng(SEED))
    clock.append(time.perf_counter())
    model = NCF(train.n_users, train.n_items, given.learning_rate, given.start)
    trainer = lightning.Trainer(
        accelerator=given.accelerator,
        devices=given.devices if given.devices == "auto" else int(given.devices),
        strategy=given.strategy,
        max_epochs=given.epochs,
        limit_train_batches=given.limit_batches,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        callbacks=[EpochBar()],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
    )
    trainer.fit(model, SharedPairs(train, seen, given.batch_size))
    clock.append(time.perf_counter())
    if trainer.is_global_zero:
        report(given, train, test_users, targets, model.cpu().eval(), trainer, np.diff(clock))


def report(given, train, test_users, targets, model: NCF, trainer: lightning.Trainer, seconds: np.ndarray) -> None:
    met = SeenItems(
        np.append(train.user_ids, test_users), np.append(train.item_ids, targets), train.n_users, train.n_items
    )
    negatives = sample_distinct_negatives(test_users, met, N_RANKED, np.random.default_rng(SEED))
    popular = Popularity().fit(train.user_ids, train.item_ids, n_users=train.n_users, n_items=train.n_items)

    @torch.no_grad()
    def predict(user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        return model(torch.as_tensor(user_ids), torch.as_tensor(item_ids)).numpy()

    console = Console()
    sizes = f"{train.n_users:,} users, {train.n_items:,} items, {len(train.user_ids):,} interactions to train on"
    n_processes = f"{trainer.world_size} process{'es' * (trainer.world_size > 1)}"
    console.print(f"{given.dataset}: {sizes}; {n_processes} on {trainer.accelerator.name()}")
    n_pairs = trainer.global_step * given.batch_size * trainer.world_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9  # Linux counts in kilobytes
    console.print(
        f"read and split {seconds[0]:.1f} s; one epoch's negatives {seconds[1]:.2f} s; {trainer.global_step:,} steps "
        f"in {seconds[2]:.1f} s, {n_pairs / seconds[2]:,.0f} pairs a second; peak memory {peak:.2f} GB a process"
    )
    table = Table("", f"HR@{TOP_K} among {N_RANKED} others", f"NDCG@{TOP_K}")
    for name, score in (("ItemPop", popular.predict), (f"NCF, epochs: {given.epochs}", predict)):
        ranks = sampled_ranks(score, test_users, targets, negatives)
        table.add_row(name, f"{hit_rate_at(ranks, TOP_K).mean():.4f}", f"{ndcg_at(ranks, TOP_K).mean():.4f}")
    console.print(table)


if __name__ == "__main__":
    main()
