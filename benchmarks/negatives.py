"""Negatives for training and for HR@10: ours beside the loops of the published notebooks.

    python benchmarks/negatives.py [--runs 5] [--loops 3]

Two jobs, at three sizes. Four fresh negatives for each positive: the loop draws `np.random.choice` over all items
until the pair is not in a Python set. HR@10 against 99 negatives: the loop makes the set of all items for each user,
takes away those they have met, draws 99 with repeats, scores 100 items of one user at a time and looks for the target
among the top ten; ours draws 99 different ones and scores users together. Both sides score with the same untrained
net, the notebook's: embeddings of 8, then layers of 64 and 32.

Both sides include what they build first (the set, the dict of each user's items, the bitmap). They run in turn, in one
process and thread; the table shows the median CPU time. ML-100K is genuine; the larger two have the sizes of ML-1M and
of 30 % of ML-25M's users, and made-up contents with a long tail. At the largest size the loops do a part, named in the
table, and the time is scaled up. Peak memory is that of a fresh process that loads the positives and draws; the
imported libraries, torch among them, count.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import nn

from course_utils import movielens
from course_utils.evaluation import hit_rate_at, sampled_ranks
from course_utils.interactions import encode
from course_utils.negatives import SeenItems, sample_distinct_negatives, sample_negatives

N_NEGATIVES, N_RANKED, TOP_K = 4, 99, 10
SCORED_USERS = 256  # scored together: what the net's layers hold for their pairs is memory that is used again at once
POSITIVES_LOOPED, USERS_LOOPED = 300_000, 1_500  # at the largest size
SEED = 0


class Positives(NamedTuple):
    """Who met what. The target of each user is the first item of theirs in the rows."""

    user_ids: np.ndarray
    item_ids: np.ndarray
    n_users: int
    n_items: int

    @property
    def targets(self) -> np.ndarray:
        users, first = np.unique(self.user_ids, return_index=True)
        assert len(users) == self.n_users
        return self.item_ids[first]


class Net(nn.Module):
    """The notebook's: both embeddings of 8 side by side, 16 to 64 to 32 to 1, with ReLU."""

    def __init__(self, n_users: int, n_items: int) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(n_users, 8), nn.Embedding(n_items, 8)
        self.layers = nn.Sequential(
            nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid()
        )

    @torch.no_grad()
    def predict(self, user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
        pairs = self.users(torch.as_tensor(user_ids)), self.items(torch.as_tensor(item_ids))
        return self.layers(torch.cat(pairs, dim=1)).squeeze(1).numpy()


class Job(NamedTuple):
    """One line of the table. Both sides return CPU seconds, the loop's for the whole job."""

    name: str
    ours: Callable[[], float]
    loop: Callable[[], float]
    looped: str  # what the loop really did, where that is a part
    memory: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="of ours")
    parser.add_argument("--loops", type=int, default=3, help="of the loops, in turn with the first runs of ours")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    console = Console()
    table = Table("", "loop, CPU s", "ours, CPU s", "ratio", "peak memory")
    table.title = f"medians of {arguments.runs} runs of ours, {arguments.loops} of the loops"
    for job in [
        *jobs_on("ML-100K", ml_100k()),
        *jobs_on("ML-1M's size", made_up(6_040, 3_706, 1_000_209)),
        *jobs_on("30 % of ML-25M's size", made_up(48_762, 38_000, 7_000_000), POSITIVES_LOOPED, USERS_LOOPED),
    ]:
        job.ours()  # once more than counted, for what is loaded on first use
        ours, loop = [], []
        for run in track(range(arguments.runs), console=console, description=job.name):
            ours.append(job.ours())
            if run < arguments.loops:
                loop.append(job.loop())
        slow, fast = statistics.median(loop), statistics.median(ours)
        scaled = f" (scaled from {job.looped})" if job.looped else ""
        table.add_row(job.name, f"{slow:.2f}{scaled}", f"{fast:.4f}", f"{slow / fast:.0f}", job.memory)
    console.print(table)


def jobs_on(
    name: str, positives: Positives, n_positives_looped: int | None = None, n_users_looped: int | None = None
) -> list[Job]:
    net = Net(positives.n_users, positives.n_items).eval()
    n_positives, n_users = len(positives.user_ids), positives.n_users
    return [
        Job(
            f"{N_NEGATIVES}:1 negatives, {name}, {n_positives:,} positives",
            lambda: negatives_ours(positives),
            lambda: negatives_loop(positives, n_positives_looped or n_positives),
            f"{n_positives_looped:,} positives" if n_positives_looped else "",
            f"{peak_memory(positives):.2f} GB",
        ),
        Job(
            f"HR@{TOP_K} with {N_RANKED} negatives, {n_users:,} users",
            lambda: hit_rate_ours(positives, net.predict),
            lambda: hit_rate_loop(positives, net.predict, n_users_looped or n_users),
            f"{n_users_looped:,} users" if n_users_looped else "",
            "",
        ),
    ]


def negatives_ours(positives: Positives) -> float:
    rng = np.random.default_rng(SEED)
    start = time.process_time()
    seen = SeenItems(positives.user_ids, positives.item_ids, positives.n_users, positives.n_items)
    sample_negatives(positives.user_ids, seen, N_NEGATIVES, rng)
    return time.process_time() - start


def negatives_loop(positives: Positives, n_looped: int) -> float:
    all_items = np.arange(positives.n_items)
    start = time.process_time()
    met = set(zip(positives.user_ids.tolist(), positives.item_ids.tolist(), strict=True))
    built = time.process_time() - start
    users, items, labels = [], [], []
    start = time.process_time()
    for user, item in zip(positives.user_ids[:n_looped].tolist(), positives.item_ids[:n_looped].tolist(), strict=True):
        users.append(user)
        items.append(item)
        labels.append(1)
        for _ in range(N_NEGATIVES):
            negative = np.random.choice(all_items)  # noqa: NPY002 (the notebooks draw so)
            while (user, negative) in met:
                negative = np.random.choice(all_items)  # noqa: NPY002
            users.append(user)
            items.append(negative)
            labels.append(0)
    return built + (time.process_time() - start) * len(positives.user_ids) / n_looped


Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]


def hit_rate_ours(positives: Positives, predict: Predict) -> float:
    rng = np.random.default_rng(SEED)
    users, targets = np.arange(positives.n_users), positives.targets
    start = time.process_time()
    seen = SeenItems(positives.user_ids, positives.item_ids, positives.n_users, positives.n_items)
    negatives = sample_distinct_negatives(users, seen, N_RANKED, rng)
    hit_rate_at(sampled_ranks(predict, users, targets, negatives, batch_size=SCORED_USERS), TOP_K).mean()
    return time.process_time() - start


def hit_rate_loop(positives: Positives, predict: Predict, n_looped: int) -> float:
    targets = positives.targets
    frame = pd.DataFrame({"user": positives.user_ids, "item": positives.item_ids})
    all_items = np.arange(positives.n_items)
    start = time.process_time()
    met = frame.groupby("user")["item"].apply(list).to_dict()
    built = time.process_time() - start
    hits = []
    start = time.process_time()
    for user, target in enumerate(targets[:n_looped]):
        unseen = list(set(all_items) - set(met[user]))
        candidates = [*np.random.choice(unseen, N_RANKED), target]  # noqa: NPY002
        scores = predict(np.array([user] * len(candidates)), np.array(candidates))
        top = [candidates[place] for place in np.argsort(scores)[::-1][:TOP_K].tolist()]
        hits.append(1 if target in top else 0)
    np.mean(hits)
    return built + (time.process_time() - start) * positives.n_users / n_looped


def ml_100k() -> Positives:
    encoded = encode(movielens.load("ml-100k").ratings)
    return Positives(encoded.user_ids, encoded.item_ids, encoded.n_users, encoded.n_items)


def made_up(n_users: int, n_items: int, n_positives: int) -> Positives:
    """About n_positives different pairs, user by user; from 20 to half of all items each, popular items more often."""
    rng = np.random.default_rng(SEED)
    activity, popularity = rng.lognormal(sigma=1.2, size=n_users), rng.lognormal(sigma=1.35, size=n_items)
    wanted = np.minimum(20 + rng.multinomial(n_positives - 20 * n_users, activity / activity.sum()), n_items // 2)
    items_by_share = np.cumsum(popularity / popularity.sum())
    pairs, missing = np.empty(0, dtype=np.int64), wanted
    for _ in range(10):  # repeats are drawn again; the few that are left then stay out
        users = np.repeat(np.arange(n_users), missing)
        items = np.minimum(np.searchsorted(items_by_share, rng.random(len(users))), n_items - 1)
        pairs = np.sort(np.concatenate([pairs, users * n_items + items]))  # np.unique's hash table is slower here
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        missing = wanted - np.bincount(pairs // n_items, minlength=n_users)
    order = np.argsort(pairs // n_items + rng.random(len(pairs)))  # mixed within each user
    return Positives(*np.divmod(pairs[order], n_items), n_users, n_items)


def peak_memory(positives: Positives) -> float:
    """Gigabytes of a fresh process that loads the positives, builds the bitmap and draws the negatives."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        np.save(Path(folder) / "pairs.npy", np.stack(positives[:2]))
        return pool.submit(_peak_memory_here, Path(folder) / "pairs.npy", *positives[2:]).result()


def _peak_memory_here(file: Path, n_users: int, n_items: int) -> float:
    negatives_ours(Positives(*np.load(file), n_users, n_items))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9  # Linux counts in kilobytes


if __name__ == "__main__":
    main()
