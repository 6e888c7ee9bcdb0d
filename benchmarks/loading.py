"""Loading, dense ids and a split by time at 25 million ratings, beside plain pandas with scikit-learn's LabelEncoder.

    python benchmarks/loading.py [--runs 3] [--keep DIR]

The files have the shape and format of ml-25m (162,541 users, 59,047 rated films of 62,423, 25,000,095 half-star ratings
in order of user and film, quoted titles) and made-up contents: every user's films are drawn evenly, which is harder on
hash tables than a long tail. Every run is a fresh process; its peak memory includes Python and the imported libraries.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

N_USERS, N_FILMS, N_RATED_FILMS, N_RATINGS = 162_541, 62_423, 59_047, 25_000_095
LARGEST_FILM_ID = 209_171
FIRST_SECOND, LAST_SECOND = 789_652_009, 1_574_327_703
SEED = 0
STAGES = {"course": ["load", "dense ids", "split by time"], "rival": ["load", "dense ids"]}


def write_files(folder: Path) -> None:
    """Writes ratings.csv and movies.csv, about 690 MB, in the format of ml-25m."""
    rng = np.random.default_rng(SEED)
    film_ids = np.sort(rng.choice(np.arange(1, LARGEST_FILM_ID + 1), N_FILMS, replace=False))
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(
        {
            "movieId": film_ids,
            "title": [f"Film {i}, The ({1930 + i % 90})" for i in range(N_FILMS)],  # the comma makes it a quoted title
            "genres": ["Drama|Comedy" if i % 3 else "(no genres listed)" for i in range(N_FILMS)],
        }
    ).to_csv(folder / "movies.csv", index=False)

    rated = np.sort(rng.choice(film_ids, N_RATED_FILMS, replace=False))
    weights = rng.lognormal(sigma=1.2, size=N_USERS)
    n_ratings = 20 + rng.multinomial(N_RATINGS - 20 * N_USERS, weights / weights.sum())
    part = folder / "ratings.csv.part"  # gets its name when it is whole
    with part.open("w") as file:
        file.write("userId,movieId,rating,timestamp\n")
        for users in np.array_split(np.arange(N_USERS), 50):
            n = int(n_ratings[users].sum())
            films = [np.sort(rng.choice(N_RATED_FILMS, n_ratings[user], replace=False)) for user in users]
            pd.DataFrame(
                {
                    "userId": np.repeat(users + 1, n_ratings[users]),
                    "movieId": rated[np.concatenate(films)],
                    "rating": rng.integers(1, 11, n) / 2,
                    "timestamp": rng.integers(FIRST_SECOND, LAST_SECOND + 1, n),
                }
            ).to_csv(file, header=False, index=False)
    part.rename(folder / "ratings.csv")


def measure_course(data_dir: str) -> list[dict[str, float]]:
    """Seconds, CPU seconds and peak memory (GB) of each stage with the course's own functions."""
    from course_utils import interactions, movielens, splits

    os.environ["COURSE_DATA_DIR"] = data_dir
    clock = _Clock()
    ratings, _ = movielens.load("ml-25m")
    clock.lap()
    encoded = interactions.encode(ratings)
    clock.lap()
    assert (len(encoded), encoded.n_users, encoded.n_items) == (N_RATINGS, N_USERS, N_RATED_FILMS)
    del encoded
    train, test = splits.time_split(ratings)
    clock.lap()
    assert len(train) + len(test) == N_RATINGS
    return clock.laps


def measure_rival(data_dir: str) -> list[dict[str, float]]:
    """The same with pandas and scikit-learn as most notebooks use them."""
    from sklearn.preprocessing import LabelEncoder

    clock = _Clock()
    ratings = pd.read_csv(f"{data_dir}/ml-25m/ratings.csv")
    clock.lap()
    ratings["user"] = LabelEncoder().fit_transform(ratings["userId"])
    ratings["item"] = LabelEncoder().fit_transform(ratings["movieId"])
    clock.lap()
    assert (ratings["user"].max() + 1, ratings["item"].max() + 1) == (N_USERS, N_RATED_FILMS)
    return clock.laps


class _Clock:
    def __init__(self) -> None:
        self.laps: list[dict[str, float]] = []
        self._start, self._cpu_start = time.perf_counter(), time.process_time()

    def lap(self) -> None:
        now, cpu_now = time.perf_counter(), time.process_time()
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        lap = {"seconds": now - self._start, "cpu": cpu_now - self._cpu_start, "peak_gb": peak_kib * 1024 / 1e9}
        self.laps.append(lap)
        self._start, self._cpu_start = now, cpu_now


def run(data_dir: Path, n_runs: int) -> dict[str, list[list[dict[str, float]]]]:
    """Runs both sides n_runs times, in turn, each in its own process."""
    results: dict[str, list[list[dict[str, float]]]] = {side: [] for side in STAGES}
    for _ in range(n_runs):
        for side in STAGES:
            command = [sys.executable, __file__, "--measure", side, "--keep", str(data_dir)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            results[side].append(json.loads(done.stdout))
    return results


def show(results: dict[str, list[list[dict[str, float]]]], n_runs: int) -> None:
    table = Table("stage", "seconds", "lowest to highest", "CPU seconds", "peak so far (GB)")
    table.title = f"{N_RATINGS:,} ratings, median of {n_runs} runs"
    for side, title in [("course", "course_utils"), ("rival", "read_csv + LabelEncoder")]:
        for place, stage in enumerate(STAGES[side]):
            _row(table, f"{title}: {stage}", [laps[place] for laps in results[side]])
        both = [
            {what: laps[0][what] + laps[1][what] for what in ("seconds", "cpu")} | {"peak_gb": laps[1]["peak_gb"]}
            for laps in results[side]
        ]
        _row(table, f"{title}: load + dense ids", both)
        table.add_section()
    Console(width=110).print(table)


def _row(table: Table, label: str, laps: list[dict[str, float]]) -> None:
    seconds = [lap["seconds"] for lap in laps]
    cpu, peak_gb = (statistics.median(lap[what] for lap in laps) for what in ("cpu", "peak_gb"))
    spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
    table.add_row(label, f"{statistics.median(seconds):.1f}", spread, f"{cpu:.1f}", f"{peak_gb:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="processes per side (default 3)")
    parser.add_argument(
        "--keep", type=Path, help="keep the generated files in this folder, and use them if they are there"
    )
    parser.add_argument("--measure", choices=STAGES, help=argparse.SUPPRESS)  # one run, in the process made for it
    arguments = parser.parse_args()
    if arguments.measure:
        measure = {"course": measure_course, "rival": measure_rival}[arguments.measure]
        print(json.dumps(measure(str(arguments.keep))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = arguments.keep or Path(scratch)
        if not (data_dir / "ml-25m" / "ratings.csv").exists():
            print("Writing files of ml-25m's shape and format (about a minute) ...", flush=True)
            write_files(data_dir / "ml-25m")
        show(run(data_dir, arguments.runs), arguments.runs)


if __name__ == "__main__":
    main()
