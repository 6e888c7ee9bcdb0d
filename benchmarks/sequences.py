"""Sequence models: CPU time of fitting them, and of the MRR of all test windows, ours and the original Spotlight's.

    python benchmarks/sequences.py [--runs 5] [--n-iter 3] [--only pooling]

ML-100K, users split 80/20, windows of ten. In every run, each model is fitted and evaluated by both in turn, with equal
random states and one thread; a ratio is the median over the runs of the original's time by ours in the same run. Both
evaluations are of our fitted model, so that their results must be equal; the two columns of MRR are each
implementation's own model under its own evaluation.
CPU time is what the process used, so that other work on the machine hardly counts.
"""

import argparse
import statistics
import sys
import time

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from course_utils.spotlight.cross_validation import user_based_train_test_split
from course_utils.spotlight.datasets.movielens import get_movielens_dataset
from course_utils.spotlight.evaluation import sequence_mrr_score
from course_utils.spotlight.original import why_missing
from course_utils.spotlight.sequence.implicit import ImplicitSequenceModel

MODELS = [
    *(("pooling", loss) for loss in ("pointwise", "bpr", "hinge", "adaptive_hinge")),
    *(
        (representation, loss)
        for representation in ("lstm", "cnn", "mixture")
        for loss in ("pointwise", "adaptive_hinge")
    ),
]


def timed(function, *arguments):
    """(seconds of CPU time, what the function returned)"""
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--n-iter", type=int, default=3)
    parser.add_argument("--only", choices=sorted({representation for representation, _ in MODELS}))
    arguments = parser.parse_args()
    models = [model for model in MODELS if arguments.only in (None, model[0])]
    if reason := why_missing():
        sys.exit(f"Nothing to compare with: {reason}")
    from spotlight.evaluation import sequence_mrr_score as their_mrr
    from spotlight.sequence.implicit import ImplicitSequenceModel as TheirModel

    def fitted(model_class, representation, loss, seed):
        model = model_class(loss, representation, n_iter=arguments.n_iter, random_state=np.random.RandomState(seed))
        return (*timed(model.fit, train), model)

    console = Console(width=150)  # the table is wide
    data = get_movielens_dataset("100K")
    rows = {model: [] for model in models}
    # One run more than counted: the first of all pays for what torch imports on first use.
    for seed in track(range(-1, arguments.runs), console=console, description="runs"):
        parts = user_based_train_test_split(data, random_state=max(seed, 0))
        train, test = (part.to_sequence() for part in parts)
        for model in models[:1] if seed < 0 else models:
            their_fit, _, theirs = fitted(TheirModel, *model, max(seed, 0))
            our_fit, _, ours = fitted(ImplicitSequenceModel, *model, max(seed, 0))
            their_time, their_values = timed(their_mrr, ours, test)
            our_time, our_values = timed(sequence_mrr_score, ours, test)
            if seed >= 0:
                quality = our_values.mean(), their_mrr(theirs, test).mean()
                difference = abs(our_values.mean() - their_values.mean())
                rows[model].append((our_fit, their_fit, our_time, their_time, *quality, difference))

    table = Table(title=f"ml-100k, n_iter={arguments.n_iter}, {arguments.runs} runs: CPU seconds, median")
    for heading in ("model", "fit: ours", "original", "ratio", "MRR of all windows: ours", "original", "ratio"):
        table.add_column(heading)
    for heading in ("largest difference", "mean MRR: ours", "original"):
        table.add_column(heading)
    for model, runs in rows.items():
        our_fit, their_fit, our_time, their_time, our_mrr, original_mrr, difference = zip(*runs, strict=True)
        table.add_row(
            ", ".join(model),
            f"{statistics.median(our_fit):.3f}",
            f"{statistics.median(their_fit):.3f}",
            f"{statistics.median(np.divide(their_fit, our_fit)):.2f}",
            f"{statistics.median(our_time):.3f}",
            f"{statistics.median(their_time):.3f}",
            f"{statistics.median(np.divide(their_time, our_time)):.0f}",
            f"{max(difference):.0e}",
            f"{statistics.mean(our_mrr):.4f}",
            f"{statistics.mean(original_mrr):.4f}",
        )
    console.print(table)


if __name__ == "__main__":
    main()
