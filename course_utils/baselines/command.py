"""The command `course baselines`: run rivals, record what they score, print it.

Typer and Rich are all that is imported before the command runs, so that `course --help` answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table


def baselines(
    dataset: Annotated[
        str, typer.Argument(help="Data set; if none is named, COURSE_DATASET or ml-100k, with --recorded all.")
    ] = "",
    task: Annotated[str, typer.Option(help="explicit, retrieval or sequence; all if none is named.")] = "",
    model: Annotated[list[str] | None, typer.Option(help="Only this model; may be given again.")] = None,
    splits: Annotated[int, typer.Option(help="Splits to average over, at least 2.")] = 10,
    engine: Annotated[
        str, typer.Option(help="course (the default), or spotlight: the original runs Spotlight's models.")
    ] = "",
    recorded: Annotated[
        bool,
        typer.Option("--recorded", help="Print what was recorded, of all data sets if none is named; train nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Train the rivals and record their results, which tables and the ladders' rungs are set from.

    Results are written into recorded.json of the package course_utils.baselines, in place of those of the same models.
    """
    from course_utils.baselines import recorded as results

    models = model or []
    if not recorded:
        from course_utils.movielens import default_name

        dataset, engine = dataset or default_name(), engine or "course"
        _run(dataset, task, models, splits, engine)
    elif not all(results.rows("", task, [name] if name else [], engine) for name in models or [""]):
        _refuse_unknown(task, models, engine)  # takes seconds to import, so not for words that are recorded
    rows = results.rows(dataset, task, models, engine)
    if not rows:
        there = dict.fromkeys(f"{row['dataset']} {row['task']}" for row in results.load())
        _fail(f"Nothing like that is recorded; there are {', '.join(there)}")
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        _print(rows)


def _run(dataset: str, task: str, models: list[str], splits: int, engine: str) -> None:
    """Run and record; whatever is known to go wrong ends in one line."""
    from course_utils.baselines.record import RecordingError, plan, record

    try:
        for task_name, names in plan(task, models, engine).items():
            with _progress(f"{dataset} {task_name}", len(names), splits) as step:
                record(dataset, task_name, splits, names, engine, step)
    except (RecordingError, MemoryError) as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("Stopped. The models that were finished are recorded.", 130)


def _refuse_unknown(task: str, models: list[str], engine: str) -> None:
    """End in the line that a run would end in, if a word is wrong."""
    from course_utils.baselines.record import RecordingError, named

    try:
        named(task, models, engine or "course")
    except RecordingError as error:
        _fail(str(error))


@contextmanager
def _progress(title: str, n_models: int, n_splits: int) -> Iterator[Callable[[str, int], None]]:
    """A bar on standard error with a step for every split of every model, and a line for every finished model."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True, highlight=False))
    task = bar.add_task(title, total=n_models * n_splits)

    def step(model: str, n_finished: int) -> None:
        bar.start()  # not before: what keeps a run from beginning is one line
        bar.update(task, description=f"{title}: {model}", advance=1 if n_finished else 0)
        if n_finished == n_splits:
            bar.console.print(f"{title}: {model} has run on {n_splits} splits", soft_wrap=True)

    try:
        yield step
    finally:
        if bar.live.is_started:
            bar.stop()


def _print(rows: list[dict]) -> None:
    """One table for each data set and task: a row a model, mean and standard deviation below each other."""
    out = Console(highlight=False)
    for (dataset, task), part in groupby(rows, key=lambda row: (row["dataset"], row["task"])):
        models: dict[tuple[str, str], dict[str, str]] = {}
        sizes = set()
        for row in part:
            cells = models.setdefault((row["model"], row["settings"]), {})
            cells[row["metric"]] = f"{row['mean']:.4f}\n±{row['sd']:.4f}"
            sizes.add(row["n"])
        metrics = list(dict.fromkeys(metric for cells in models.values() for metric in cells))
        title = f"{dataset}, {task}: mean ± standard deviation over {' or '.join(map(str, sorted(sizes)))} splits"
        table = Table(
            title=title, title_justify="left", title_style="bold", box=box.SIMPLE, padding=(0, 1, 0, 0), show_edge=False
        )
        table.add_column("model\nsettings", min_width=27)  # as wide as the longest name
        for metric in metrics:
            table.add_column(metric.replace(" ", "\n"), justify="right")
        for (model, settings), cells in models.items():
            table.add_row(f"[bold]{model}[/]\n{settings}", *(cells.get(metric, "") for metric in metrics))
        out.print(table)


def _fail(line: str, code: int = 1) -> None:
    typer.echo(line, err=True)
    raise typer.Exit(code)
