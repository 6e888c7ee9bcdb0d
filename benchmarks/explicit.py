"""Explicit ratings: CPU time of a fit, and test RMSE.

Spotlight's model, ours and (where it is installed) the original, the damped biases, and the model of lesson 01.

    python benchmarks/explicit.py [--dataset ml-100k] [--splits 5]

Every model is fitted on the same random 80/20 splits, one thread, in turn; the table shows the median time, and the
mean and standard deviation of the RMSE.
CPU time is what the process used, so that other work on the machine hardly counts. To add a model, write a function
that fits it, and name it in MODELS.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import jupytext
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from course_utils import movielens
from course_utils.baselines.biases import DampedBiases
from course_utils.evaluation import rmse
from course_utils.interactions import EncodedRatings, encode
from course_utils.splits import random_split
from course_utils.spotlight.factorization.explicit import ExplicitFactorizationModel
from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.original import why_missing
from course_utils.training import RatingTensors

LESSON = Path(__file__).resolve().parent.parent / "solutions" / "01_explicit_mf.py"

Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (user_ids, item_ids) -> stars
Fit = Callable[[EncodedRatings, int], Predict]  # (training ratings, seed) -> the fitted model's predict
REFERENCE = "Spotlight, ours (n_iter=3)"


def spotlight(model_class: type, interactions_class: type) -> Fit:
    def fit(train: EncodedRatings, seed: int) -> Predict:
        interactions = interactions_class(
            train.user_ids.astype(np.int32),
            train.item_ids.astype(np.int32),
            ratings=train.ratings,
            num_users=train.n_users,
            num_items=train.n_items,
        )
        model = model_class(n_iter=3, random_state=np.random.RandomState(seed))
        model.fit(interactions)
        return model.predict

    return fit


def damped_biases(train: EncodedRatings, seed: int) -> Predict:
    sizes = {"n_users": train.n_users, "n_items": train.n_items}
    return DampedBiases().fit(train.user_ids, train.item_ids, train.ratings, **sizes).predict


def lesson_model() -> Fit:
    """The lesson's last answer, `predict_stars`, run with the lesson's settings and the answers that it builds on."""
    code = [cell for cell in jupytext.read(LESSON).cells if cell.cell_type == "code"]
    answers = [cell for cell in code if cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("ex-")]
    names: dict = {}
    for cell in code[:2] + answers:
        exec(cell.source, names)

    def fit(train: EncodedRatings, seed: int) -> Predict:
        # the exercise trains when it is asked to predict, which is why a fit is timed together with its predictions
        triple = RatingTensors(*map(torch.from_numpy, (train.user_ids, train.item_ids, train.ratings)))

        def predict(user_ids: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
            pairs = torch.from_numpy(user_ids), torch.from_numpy(item_ids)
            return names["predict_stars"](triple, *pairs, train.n_users, train.n_items).numpy()

        return predict

    return fit


MODELS: dict[str, Fit] = {
    REFERENCE: spotlight(ExplicitFactorizationModel, Interactions),
    "damped biases": damped_biases,
    "lesson 01, biased MF with decay": lesson_model(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="ml-100k", choices=movielens.DATASETS)
    parser.add_argument("--splits", type=int, default=5)
    arguments = parser.parse_args()
    console = Console()

    models = dict(MODELS)
    if reason := why_missing():
        console.print(f"Without a comparison: {reason}")
    else:
        from spotlight.factorization.explicit import ExplicitFactorizationModel as TheirModel
        from spotlight.interactions import Interactions as TheirInteractions

        models["Spotlight, the original (n_iter=3)"] = spotlight(TheirModel, TheirInteractions)

    ratings = movielens.load(arguments.dataset).ratings
    everything = encode(ratings)
    seconds = {name: [] for name in models}
    errors = {name: [] for name in models}
    # One round more than counted: the first fit of all pays for what torch imports on first use.
    for seed in track(range(-1, arguments.splits), console=console, description=arguments.dataset):
        parts = random_split(ratings, 0.2, rng=np.random.default_rng(max(seed, 0)))
        train, test = (encode(part, everything.users, everything.items) for part in parts)
        for name, fit in models.items():
            start = time.process_time()
            scores = fit(train, max(seed, 0))(test.user_ids, test.item_ids)
            took = time.process_time() - start
            if seed >= 0:
                seconds[name].append(took)
                errors[name].append(rmse(test.ratings, scores))

    table = Table(
        "model",
        "fit and predict, CPU s",
        "times ours",
        "test RMSE, mean",
        "sd",
        title=f"{arguments.dataset}, {arguments.splits} splits",
    )
    ours = statistics.median(seconds[REFERENCE])
    for name in models:
        median = statistics.median(seconds[name])
        spread = f"{statistics.stdev(errors[name]):.4f}" if arguments.splits > 1 else ""
        table.add_row(name, f"{median:.3f}", f"{median / ours:.2f}", f"{statistics.mean(errors[name]):.4f}", spread)
    console.print(table)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", module="spotlight")
    main()
