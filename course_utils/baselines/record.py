"""Runs the rivals on random splits and writes down what they score, for the ladders and the tables of the course.

Split `seed` is splits.random_split(ratings, 0.2, rng=np.random.default_rng(seed)); ids are dense over all ratings of
the data set, so that every test row counts. Spotlight's models get np.random.RandomState(seed).
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from course_utils import movielens
from course_utils.baselines import recorded
from course_utils.baselines.biases import DampedBiases
from course_utils.baselines.means import GlobalMean, ItemMean, UserMean
from course_utils.evaluation import rmse
from course_utils.interactions import EncodedRatings, encode
from course_utils.splits import random_split
from course_utils.spotlight.factorization.explicit import ExplicitFactorizationModel
from course_utils.spotlight.interactions import Interactions

Scorer = Callable[[EncodedRatings, EncodedRatings, int], np.ndarray]


@dataclass(frozen=True)
class Rival:
    """A model with its settings, ready to be run.

    scores    (train, test, seed) -> (n_test,) the predicted stars
    settings  what a table says about it
    """

    scores: Scorer
    settings: dict = field(default_factory=dict)


def _closed_form(model_class: type, **settings) -> Rival:
    def scores(train: EncodedRatings, test: EncodedRatings, seed: int) -> np.ndarray:
        model = model_class(**settings)
        model.fit(train.user_ids, train.item_ids, train.ratings, n_users=train.n_users, n_items=train.n_items)
        return model.predict(test.user_ids, test.item_ids)

    return Rival(scores, settings)


def _spotlight(*, clipped: bool, **settings) -> Rival:
    def scores(train: EncodedRatings, test: EncodedRatings, seed: int) -> np.ndarray:
        model = ExplicitFactorizationModel(**settings, random_state=np.random.RandomState(seed))
        model.fit(
            Interactions(
                train.user_ids, train.item_ids, train.ratings, num_users=train.n_users, num_items=train.n_items
            )
        )
        predicted = model.predict(test.user_ids, test.item_ids)
        return predicted.clip(train.ratings.min(), train.ratings.max()) if clipped else predicted

    return Rival(scores, {**settings, "clipped": clipped})


EXPLICIT = {
    "global_mean": _closed_form(GlobalMean),
    "user_mean": _closed_form(UserMean),
    "item_mean": _closed_form(ItemMean),
    "damped_biases": _closed_form(DampedBiases, damping=5.0),
    "spotlight": _spotlight(n_iter=3, clipped=False),
    "spotlight_tuned": _spotlight(embedding_dim=64, learning_rate=1e-3, n_iter=20, clipped=True),
}


def record(dataset: str, n_splits: int = 10, models: Iterable[str] | None = None) -> list[dict]:
    """Measure and write into recorded.json, in place of the rows of the same data set and models.

    dataset   a name that movielens.load knows
    n_splits  the seeds 0 to n_splits - 1; at least 2, as one value has no spread
    models    names in EXPLICIT; None for all
    returns   the new rows in full
    raises    ValueError for an unknown model or too few splits, movielens.DataError for data that cannot be had
    """
    if n_splits < 2:
        raise ValueError(f"n_splits must be at least 2, got {n_splits}")
    new = measure(dataset, range(n_splits), models)
    old = recorded.load() if recorded.PATH.exists() else []
    rows = {(row["dataset"], row["task"], row["model"], row["metric"]): row for row in old + new}
    scratch = recorded.PATH.with_suffix(".tmp")
    lines = ",\n".join(json.dumps(row) for row in rows.values())  # one row a line, so that a diff can be read
    scratch.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    os.replace(scratch, recorded.PATH)
    return new


def measure(dataset: str, seeds: Sequence[int], models: Iterable[str] | None = None) -> list[dict]:
    """Run models on random splits, with a progress bar on stderr, and write nothing.

    dataset   a name that movielens.load knows
    seeds     one split each, at least one
    models    names in EXPLICIT; None for all
    returns   one row a model, as recorded.json holds them; sd is None for a single split
    raises    ValueError for an unknown model, movielens.DataError for data that cannot be had
    """
    models = list(EXPLICIT if models is None else models)
    if unknown := [name for name in models if name not in EXPLICIT]:
        raise ValueError(f"no model is called {unknown[0]!r}; there are {', '.join(EXPLICIT)}")
    rivals = {name: EXPLICIT[name] for name in models}
    ratings = movielens.load(dataset).ratings
    everything = encode(ratings)
    scores = {name: [] for name in rivals}
    title = f"{dataset}: {len(rivals)} models on {len(seeds)} splits"
    for seed in track(seeds, description=title, console=Console(stderr=True)):
        parts = random_split(ratings, 0.2, rng=np.random.default_rng(seed))
        train, test = (encode(part, everything.users, everything.items) for part in parts)
        for name, rival in rivals.items():
            scores[name].append(rmse(test.ratings, rival.scores(train, test, seed)))
    return [
        {
            "dataset": dataset,
            "task": "explicit",
            "model": name,
            "settings": rival.settings,
            "metric": "rmse",
            "mean": float(np.mean(scores[name])),
            "sd": float(np.std(scores[name], ddof=1)) if len(seeds) > 1 else None,
            "seeds": list(seeds),
            "values": scores[name],
            "ratings_sha256": ratings_hash(ratings),
            "versions": _versions(),
        }
        for name, rival in rivals.items()
    ]


def ratings_hash(ratings: pd.DataFrame) -> str:
    """SHA-256 of user_id, item_id, rating and timestamp in order of position: the data, whatever the file."""
    digest = hashlib.sha256()
    in_order = ratings.sort_values("position")
    for column, dtype in (("user_id", "<i8"), ("item_id", "<i8"), ("rating", "<f4"), ("timestamp", "<i8")):
        digest.update(in_order[column].to_numpy().astype(dtype).tobytes())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    libraries = {name: version(name) for name in ("numpy", "pandas", "torch")}
    return {"python": platform.python_version(), **libraries}
