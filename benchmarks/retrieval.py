"""Top ten recommendation on two published test sets: what a second of linear algebra does, and what sampling hides.

    python benchmarks/retrieval.py [--ncf DIR] [--recommender-pytorch DIR] [--only NAME]

ncf                  The files of He et al., "Neural collaborative filtering" (WWW 2017): MovieLens 1M, the last rating
                     of every user held back, with 99 negatives each. 156 of these equal the item that they are
                     compared with; they are left out, as in the authors' code, which keeps the scores in a dictionary
                     by item, so those users have 98.
recommender-pytorch  The split of the recommender_pytorch repository: MovieLens 100K, the last rating of every user held
                     back. 99 negatives are drawn here, without repeats, from the items in neither part.

Every model is fitted once and asked twice: where is the held-back item among its negatives, and where in the whole
catalogue less the user's training items? Intervals are 95 % bootstrap intervals over users. CPU seconds are what the
process used, on one thread, for the fit and for both questions.
"""

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from course_utils.baselines.ease import EASE
from course_utils.baselines.implicit_models import ALS, BPR
from course_utils.baselines.markov import Markov
from course_utils.baselines.pairs import to_matrix
from course_utils.baselines.popularity import Popularity
from course_utils.evaluation import (
    bootstrap_interval,
    catalogue_ranks,
    hit_rate_at,
    ndcg_at,
    paired_difference,
    reciprocal_rank,
    sampled_ranks,
)
from course_utils.negatives import SeenItems, sample_distinct_negatives

METRICS = {  # name: (against what, from ranks)
    "HR@10, 99 negatives": ("sampled", lambda ranks: hit_rate_at(ranks, 10)),
    "NDCG@10, 99 negatives": ("sampled", lambda ranks: ndcg_at(ranks, 10)),
    "HR@10, all items": ("full", lambda ranks: hit_rate_at(ranks, 10)),
    "MRR, all items": ("full", reciprocal_rank),
}
N_RESAMPLES = 2000
PAIRS = [("Markov, last item", "ALS"), ("Markov, 9 lags", "ALS"), ("EASE", "ALS")]


@dataclass(frozen=True)
class HeldOut:
    """What to train on, and what to find again.

    user_ids, item_ids       (n,) int64, the training pairs; each user's rows in order of time
    test_user_ids, targets   (B,) int64, one held-back item a user
    negatives                (B, 99) int64
    """

    user_ids: np.ndarray
    item_ids: np.ndarray
    test_user_ids: np.ndarray
    targets: np.ndarray
    negatives: np.ndarray
    n_users: int
    n_items: int


def read_ncf(folder: Path) -> HeldOut:
    """The training pairs are in order of user and time already."""
    train, test, negatives = (
        pd.read_csv(folder / f"ml-1m.{name}.gz", sep="\t", header=None)
        for name in ("train.pairs", "test.rating", "test.negative")
    )
    return _held_out(train, test, 0, negatives.iloc[:, 1:].to_numpy())  # column 0 repeats the pair


def read_recommender_pytorch(folder: Path) -> HeldOut:
    train, test = (
        pd.read_csv(folder / f"movielens.{name}.rating", sep="\t", header=None) for name in ("train", "test")
    )
    return _held_out(train.sort_values(3, kind="stable"), test, 1, None)


def _held_out(train: pd.DataFrame, test: pd.DataFrame, first_id: int, negatives: np.ndarray | None) -> HeldOut:
    users, items, test_users, targets = (
        part[column].to_numpy(np.int64) - first_id for part in (train, test) for column in (0, 1)
    )
    n_users, n_items = (int(max(a.max(), b.max())) + 1 for a, b in ((users, test_users), (items, targets)))
    if negatives is None:
        seen = SeenItems(np.append(users, test_users), np.append(items, targets), n_users, n_items)
        negatives = sample_distinct_negatives(test_users, seen, 99, np.random.default_rng(0))
    return HeldOut(users, items, test_users, targets, negatives, n_users, max(n_items, int(negatives.max()) + 1))


def models(regularisation: float, n_factors: int) -> dict:
    """All rivals: EASE's penalty and the number of ALS factors are chosen by the size of the data."""
    return {
        "ItemPop": Popularity(),
        "EASE": EASE(regularisation),
        "ALS": ALS(n_factors, regularisation=20, alpha=10, rng=np.random.default_rng(0)),
        "BPR": BPR(n_factors=64, rng=np.random.default_rng(0)),
        "Markov, last item": Markov(n_lags=1),
        "Markov, 9 lags": Markov(),
    }


def evaluate(model, test: HeldOut) -> dict[str, np.ndarray]:
    """For each of METRICS one value a test user, (B,) float64, of a model that was fitted."""
    users, targets = test.test_user_ids, test.targets
    own = test.negatives == targets[:, None]
    sampled = np.empty(len(targets))
    for n_own in np.unique(own.sum(axis=1)):
        rows = np.flatnonzero(own.sum(axis=1) == n_own)
        negatives = test.negatives[rows][~own[rows]].reshape(len(rows), -1)
        sampled[rows] = sampled_ranks(model.predict, users[rows], targets[rows], negatives)
    seen = to_matrix(test.user_ids, test.item_ids, test.n_users, test.n_items)[users]
    full = catalogue_ranks(lambda rows: model.score_users(users[rows]), targets, seen=seen)
    ranks = {"sampled": sampled, "full": full}
    return {name: metric(ranks[which]) for name, (which, metric) in METRICS.items()}


def show(name: str, test: HeldOut, rivals: dict, console: Console) -> None:
    table = Table("model", *METRICS, "fit, CPU s", "both, CPU s", title=name, title_justify="left")
    values, sizes = {}, {"n_users": test.n_users, "n_items": test.n_items}
    rng = np.random.default_rng(0)
    for model_name, model in rivals.items():
        with console.status(f"{name}: {model_name}"):
            start = time.process_time()
            model.fit(test.user_ids, test.item_ids, **sizes)
            fitted = time.process_time()
            values[model_name] = evaluate(model, test)
            done = time.process_time()
        cells = [
            _interval(bootstrap_interval(column, test.test_user_ids, rng, n_resamples=N_RESAMPLES))
            for column in values[model_name].values()
        ]
        table.add_row(model_name, *cells, f"{fitted - start:.2f}", f"{done - fitted:.2f}")
    console.print(table)
    pairs = Table("first less second", *METRICS, title=f"{name}: paired differences", title_justify="left")
    for first, second in PAIRS:
        columns = zip(values[first].values(), values[second].values(), strict=True)
        cells = [
            _interval(paired_difference(*pair, test.test_user_ids, rng, n_resamples=N_RESAMPLES), "+")
            for pair in columns
        ]
        pairs.add_row(f"{first} less {second}", *cells)
    console.print(pairs)


def _interval(interval, sign: str = "") -> str:
    return f"{interval.mean:{sign}.4f}\n[{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data_dir = Path(os.environ.get("COURSE_DATA_DIR", "."))
    parser.add_argument("--ncf", type=Path, default=data_dir / "ncf-ml-1m", help="folder of the ml-1m.* files")
    parser.add_argument(
        "--recommender-pytorch",
        type=Path,
        default=data_dir / "recommender_pytorch",
        help="folder of movielens.train.rating and movielens.test.rating",
    )
    parser.add_argument("--only", choices=["ncf", "recommender-pytorch"], help="only this test set")
    arguments = parser.parse_args()
    console = Console(width=max(120, Console().width), highlight=False)
    sets = {
        "recommender-pytorch": (arguments.recommender_pytorch, read_recommender_pytorch, models(400, 32)),
        "ncf": (arguments.ncf, read_ncf, models(700, 64)),
    }
    for name, (folder, read, rivals) in sets.items():
        if arguments.only not in (None, name):
            continue
        if folder.is_dir():
            show(name, read(folder), rivals, console)
        else:
            console.print(f"{name} is left out: there is no folder {folder}")


if __name__ == "__main__":
    main()
