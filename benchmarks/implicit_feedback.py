"""Implicit feedback: CPU time of a fit, and test MRR, of Spotlight's factorization model with each of its losses.

Ours beside the original, where it is installed.

    python benchmarks/implicit_feedback.py [--dataset ml-100k] [--splits 5] [--epochs 3]

Both are fitted on the same random 80/20 splits with the same random states, one thread, in turn; the table shows median
times, and the mean and standard deviation of the MRR over all items but the user's training items.
CPU time is what the process used, so that other work on the machine hardly counts.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from course_utils import movielens
from course_utils.interactions import encode
from course_utils.spotlight.cross_validation import random_train_test_split
from course_utils.spotlight.evaluation import mrr_score
from course_utils.spotlight.factorization.implicit import ImplicitFactorizationModel
from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.original import why_missing

LOSSES = ("pointwise", "bpr", "hinge", "adaptive_hinge")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="ml-100k", choices=movielens.DATASETS)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    console = Console()

    model_classes = {"ours": ImplicitFactorizationModel}
    if reason := why_missing():
        console.print(f"Without a comparison: {reason}")
    else:
        from spotlight.factorization.implicit import ImplicitFactorizationModel as TheirModel

        model_classes["the original"] = TheirModel

    ratings = encode(movielens.load(arguments.dataset).ratings)
    interactions = Interactions(ratings.user_ids.astype(np.int32), ratings.item_ids.astype(np.int32))
    seconds = {(loss, engine): [] for loss in LOSSES for engine in model_classes}
    mrrs = {key: [] for key in seconds}
    # One round more than counted: the first fit of all pays for what torch imports on first use.
    for seed in track(range(-1, arguments.splits), console=console, description=arguments.dataset):
        train, test = random_train_test_split(interactions, random_state=max(seed, 0))
        for loss, engine in seconds:
            model = model_classes[engine](
                loss=loss, n_iter=arguments.epochs, random_state=np.random.RandomState(max(seed, 0))
            )
            start = time.process_time()
            model.fit(train)  # of the interactions, the original reads the arrays and counts, which are the same
            took = time.process_time() - start
            if seed >= 0:
                seconds[loss, engine].append(took)
                mrrs[loss, engine].append(mrr_score(model, test, train=train).mean())

    table = Table("loss", "", "fit, CPU s", "times ours", "test MRR, mean", "sd")
    table.title = f"{arguments.dataset}, {arguments.epochs} epochs, {arguments.splits} splits"
    for loss, engine in seconds:
        median = statistics.median(seconds[loss, engine])
        ratio = median / statistics.median(seconds[loss, "ours"])
        mean, values = statistics.mean(mrrs[loss, engine]), mrrs[loss, engine]
        spread = f"{statistics.stdev(values):.4f}" if len(values) > 1 else ""
        table.add_row(loss, engine, f"{median:.3f}", f"{ratio:.2f}", f"{mean:.4f}", spread)
    console.print(table)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", module="spotlight")
    main()
