"""The recorded results of the rivals: what each scored, split by split. Reads a file; trains nothing, imports no torch.

`record.record` makes the file. A row holds dataset, task ("explicit", "retrieval", "sequence"; see protocols.py), model
and its settings (rivals.py), engine ("course", or "spotlight" where the original's classes ran), metric, the seeds of
the splits with the value for each, their mean and sample standard deviation, the SHA-256 of the ratings (see
record.ratings_hash; of synthetic, those of seed 0) and the versions that were used. All models of a data set and task
were recorded on the same splits, so that values at the same place can be compared in pairs.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("recorded.json")


def values(dataset: str, task: str, model: str, metric: str, engine: str = "course") -> np.ndarray:
    """(n,) float64, one value for each split, in order of seed. Raises KeyError naming what there is."""
    wanted = (dataset, task, model, metric, engine)
    there = {_key(row): row for row in load()}
    if wanted not in there:
        alike = [key[2:] for key in there if key[:2] == wanted[:2]] or sorted({key[:2] for key in there})
        raise KeyError(f"nothing recorded for {wanted}; there are {alike}")
    return np.array(there[wanted]["values"])


def rows(dataset: str = "", task: str = "", models: Collection[str] = (), engine: str = "") -> list[dict]:
    """For tables: dataset, task, model, settings, metric, mean, sd, n; one dict for each model and metric.

    dataset, task, models, engine  only rows of these; an empty one does not restrict
    settings                       as one line of text; begins with engine=spotlight where the original ran
    mean, sd                       over the n splits, in the metric's unit
    """
    return [
        {
            **{name: row[name] for name in ("dataset", "task", "model")},
            "settings": ", ".join(f"{name}={value}" for name, value in _settings(row).items()),
            **{name: row[name] for name in ("metric", "mean", "sd")},
            "n": len(row["values"]),
        }
        for row in load()
        if dataset in ("", row["dataset"])
        and task in ("", row["task"])
        and (not models or row["model"] in models)
        and engine in ("", row["engine"])
    ]


def load() -> list[dict]:
    """The rows in full, as they lie in the file."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def _key(row: dict) -> tuple[str, ...]:
    return tuple(row[name] for name in ("dataset", "task", "model", "metric", "engine"))


def _settings(row: dict) -> dict:
    return row["settings"] if row["engine"] == "course" else {"engine": row["engine"], **row["settings"]}
