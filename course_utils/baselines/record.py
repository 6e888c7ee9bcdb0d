"""Runs the rivals on splits 0 to n - 1 and writes down what they score, for ladders and tables of the course.

Of synthetic, each split is one of a world of its own, drawn from the same seed: a grader, too, draws a world that
nobody has seen, and a rung has to hold there.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
from collections.abc import Callable, Collection, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from course_utils import movielens, synthetic
from course_utils.baselines import recorded
from course_utils.baselines.protocols import PROTOCOLS
from course_utils.baselines.rivals import ENGINES, RIVALS
from course_utils.spotlight.original import why_missing

MOST_KEPT = 2_000_000  # ratings of a data set whose splits are kept: 36 bytes each, so 0.9 GB for one split of ml-25m
LIBRARIES = ("implicit", "numpy", "pandas", "scipy", "torch")

Progress = Callable[[str, int], None]  # (model, splits finished)


class RecordingError(ValueError):
    """What was asked for cannot be run or recorded; the message is one line for a person."""


def plan(task: str = "", models: Collection[str] = (), engine: str = "course") -> dict[str, list[str]]:
    """What to run: for each task the models, in the order of the tables.

    task     a name in RIVALS; empty for every task that has one of the models
    models   names in RIVALS[task]; empty for all that the engine can run
    raises   RecordingError as named does, and for an engine that is not installed
    """
    tasks = named(task, models, engine)
    if engine == "spotlight" and (reason := why_missing()):
        raise RecordingError(reason)
    return tasks


def named(task: str = "", models: Collection[str] = (), engine: str = "course") -> dict[str, list[str]]:
    """As plan, whatever is installed.

    raises   RecordingError for an unknown task or engine, and a model that no task has for that engine
    """
    if task and task not in RIVALS:
        raise RecordingError(f"no task is called {task!r}; there are {', '.join(RIVALS)}")
    if engine not in ENGINES:
        raise RecordingError(f"no engine is called {engine!r}; there are {', '.join(ENGINES)}")
    tasks = {
        name: [model for model, rival in rivals.items() if engine in rival.engines]
        for name, rivals in RIVALS.items()
        if task in ("", name)
    }
    there = list(dict.fromkeys(model for names in tasks.values() for model in names))
    if unknown := [model for model in models if model not in there]:
        whose = f"{task} model" if task else "model"
        whose += f" that the engine {engine} runs" if engine != "course" else ""
        raise RecordingError(f"no {whose} is called {unknown[0]!r}; there are {', '.join(there)}")
    chosen = {name: [model for model in names if not models or model in models] for name, names in tasks.items()}
    return {name: names for name, names in chosen.items() if names}


def record(
    dataset: str,
    task: str,
    n_splits: int = 10,
    models: Collection[str] = (),
    engine: str = "course",
    progress: Progress | None = None,
) -> None:
    """Measure, and write into recorded.json after each model, in place of the rows of the same model and engine.

    Values are compared in pairs, so all rows of one data set, task and engine must be of the same splits of the same
    data: if others would remain that are not, nothing is run.

    dataset   a name that movielens.load knows
    n_splits  the seeds 0 to n_splits - 1; at least 2, as one value has no spread
    models    names in RIVALS[task]; all of the engine's if empty
    engine    "course", or "spotlight" for the original's classes in place of ours
    progress  called before the first and after each split of a model
    raises    RecordingError as plan does, for too few splits, and where other rows would remain; movielens.DataError
              for data that cannot be had; MemoryError for a model that does not fit. What was finished is recorded.
    """
    models = plan(task, models, engine)[task]
    if n_splits < 2:
        raise RecordingError(f"a spread needs at least 2 splits, got {n_splits}")
    ratings = movielens.load(dataset).ratings
    same = {"seeds": list(range(n_splits)), "ratings_sha256": ratings_hash(ratings)}
    group = {"dataset": dataset, "task": task, "engine": engine}
    remaining = [row for row in _load() if _has(row, group) and row["model"] not in models]
    for row in remaining:
        pairs = f"{row['model']} of {dataset} {task} is recorded on"
        if row["ratings_sha256"] != same["ratings_sha256"]:
            raise RecordingError(f"{pairs} other ratings: run all models of the task together")
        if row["seeds"] != same["seeds"]:
            n = len(row["seeds"])
            raise RecordingError(f"{pairs} {n} splits: take as many, or run all models of the task together")
    fold_of = _folds(ratings, dataset, task)
    for model in models:
        new = _measure(ratings, fold_of, dataset, task, model, range(n_splits), engine, progress)
        kept = [row for row in _load() if not _has(row, group) or (row["model"] != model and _has(row, same))]
        _write(kept + new)


def measure(dataset: str, task: str, model: str, seeds: Sequence[int], engine: str = "course") -> list[dict]:
    """Run one model and write nothing.

    seeds    one split each, at least one
    returns  a row for each metric, as recorded.json holds them; sd is None for a single split
    raises   RecordingError as plan does, movielens.DataError for data that cannot be had
    """
    plan(task, [model], engine)
    ratings = movielens.load(dataset).ratings
    return _measure(ratings, _folds(ratings, dataset, task), dataset, task, model, seeds, engine)


def _folds(ratings: pd.DataFrame, dataset: str, task: str) -> Callable[[int], Any]:
    """A function from a seed to its split, which all models of a run share: each is made once, unless it is large."""

    def fold_of(seed: int) -> Any:
        own = _synthetic_ratings(seed) if dataset == "synthetic" else ratings
        try:
            return PROTOCOLS[task].split(own, seed)
        except ValueError as problem:  # too few items to draw negatives from, for one
            raise RecordingError(f"{dataset} cannot be split for the task {task}: {problem}") from problem

    return functools.cache(fold_of) if len(ratings) <= MOST_KEPT else fold_of


def _measure(
    ratings: pd.DataFrame,
    fold_of: Callable[[int], Any],
    dataset: str,
    task: str,
    model: str,
    seeds: Sequence[int],
    engine: str,
    progress: Progress | None = None,
) -> list[dict]:
    protocol, rival = PROTOCOLS[task], RIVALS[task][model]
    values = []
    for seed in seeds:
        if progress:
            progress(model, len(values))
        fold = fold_of(seed)
        values.append(protocol.measure(rival.fit(fold, seed, engine), fold))
    if progress:
        progress(model, len(values))
    return [
        {
            "dataset": dataset,
            "task": task,
            "model": model,
            "engine": engine,
            "settings": rival.settings,
            "metric": metric,
            "mean": float(np.mean(column)),
            "sd": float(np.std(column, ddof=1)) if len(column) > 1 else None,
            "seeds": list(seeds),
            "values": list(column),
            "ratings_sha256": ratings_hash(ratings),
            "versions": _versions(engine),
        }
        for metric, column in zip(protocol.metrics, zip(*values, strict=True), strict=True)
    ]


@functools.cache
def _synthetic_ratings(seed: int) -> pd.DataFrame:
    """The ratings of the synthetic world of a seed, made once for all models."""
    return synthetic.generate(seed=seed).ratings


def ratings_hash(ratings: pd.DataFrame) -> str:
    """SHA-256 of user_id, item_id, rating and timestamp in order of position: the data, whatever the file."""
    digest = hashlib.sha256()
    in_order = ratings.sort_values("position")
    for column, dtype in (("user_id", "<i8"), ("item_id", "<i8"), ("rating", "<f4"), ("timestamp", "<i8")):
        digest.update(in_order[column].to_numpy().astype(dtype).tobytes())
    return digest.hexdigest()


def _versions(engine: str) -> dict[str, str]:
    libraries = {name: version(name) for name in (*LIBRARIES, *([engine] if engine != "course" else []))}
    return {"python": platform.python_version(), **libraries}


def _has(row: dict, entries: dict) -> bool:
    return all(row[name] == value for name, value in entries.items())


def _load() -> list[dict]:
    """The rows there are, without those of rivals that have left the table."""
    rows = recorded.load() if recorded.PATH.exists() else []
    return [row for row in rows if row["model"] in RIVALS[row["task"]]]


def _write(rows: list[dict]) -> None:
    """In the order of the tables and not of the runs; the file is whole at any moment."""

    def place(row: dict) -> tuple[int, ...]:
        tables = (movielens.DATASETS, RIVALS, ENGINES, RIVALS[row["task"]], PROTOCOLS[row["task"]].metrics)
        names = (row["dataset"], row["task"], row["engine"], row["model"], row["metric"])
        return tuple(list(table).index(name) for table, name in zip(tables, names, strict=True))

    scratch = recorded.PATH.with_suffix(".tmp")
    lines = ",\n".join(json.dumps(row) for row in sorted(rows, key=place))  # one row a line: a diff can be read
    scratch.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    os.replace(scratch, recorded.PATH)
