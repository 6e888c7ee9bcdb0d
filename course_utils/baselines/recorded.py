"""The recorded results of the rivals: what each scored, split by split. Reads a file; trains nothing, imports no torch.

`record.record` makes the file. A row holds dataset, task ("explicit"), model, settings, metric ("rmse", in stars), the
seeds of the splits with the value for each, their mean and sample standard deviation, the SHA-256 of the ratings (see
record.ratings_hash) and the versions that were used. All models of a data set were recorded on the same splits, so
that values at the same place can be compared in pairs.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("recorded.json")


def values(dataset: str, task: str, model: str, metric: str) -> np.ndarray:
    """(n,) float64, one value for each split, in order of seed. Raises KeyError naming what there is."""
    for row in load():
        if (row["dataset"], row["task"], row["model"], row["metric"]) == (dataset, task, model, metric):
            return np.array(row["values"])
    there = sorted({(row["dataset"], row["task"], row["model"], row["metric"]) for row in load()})
    raise KeyError(f"nothing recorded for {(dataset, task, model, metric)}; there are {there}")


def rows() -> list[dict]:
    """For tables: dataset, task, model, settings, metric, mean, sd, n; one dict for each model and metric.

    settings  as one line of text
    mean, sd  over the n splits, in the metric's unit
    """
    return [
        {
            **{name: row[name] for name in ("dataset", "task", "model")},
            "settings": ", ".join(f"{name}={value}" for name, value in row["settings"].items()),
            **{name: row[name] for name in ("metric", "mean", "sd")},
            "n": len(row["values"]),
        }
        for row in load()
    ]


def load() -> list[dict]:
    """The rows in full, as they lie in the file."""
    return json.loads(PATH.read_text(encoding="utf-8"))
