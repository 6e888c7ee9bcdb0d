"""The command `course`. Every failure is one clear line on standard error and a non-zero exit.

Imports of anything slow lie inside the commands, so that `course --help` answers at once.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from course_utils.baselines.command import baselines
from course_utils.errors import CourseError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
out = Console(highlight=False)

FOR_TEACHERS = ("build", "release", "grade", "report", "demo", "sandbox", "book")
"""Commands of the course's repository; the package that students get is without them."""

NEEDED_TO_GRADE = ("dask", "distributed", "tomli_w")
"""What the extra [grading] brings, by the names that are imported."""


@app.callback()
def course() -> None:
    """Check your notebooks, fetch data, and, in the course's repository, build, hand out and grade."""


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="A notebook of the student edition, with your answers.")],
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that one cell may run.")] = 600,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> None:
    """Run a notebook and print what each of its checks says. Exits with 0 only if all points are there."""
    from course_utils.running.selfcheck import self_check

    seen = self_check(notebook, timeout, (lambda verdict: None) if as_json else lambda verdict: typer.echo(verdict))
    verdicts = seen.verdicts
    points = sum(verdict.points for verdict in verdicts.values())
    most = sum(verdict.max_points for verdict in verdicts.values())
    if as_json:
        checks = [{"exercise": name, **verdict.as_dict()} for name, verdict in verdicts.items()]
        typer.echo(json.dumps({"notebook": str(notebook), "points": points, "max_points": most, "checks": checks}))
    else:
        typer.echo(f"{points:g} of {most:g} points.")
        for line in (*seen.by_hand, *seen.stopped):
            typer.echo(line)
    if points < most:
        raise typer.Exit(1)


@app.command()
def data(name: Annotated[str, typer.Argument(help="A data set; without it, all are listed.")] = "") -> None:
    """Fetch a MovieLens data set, check it, and say where it lies."""
    from course_utils import movielens

    if not name:
        for each in movielens.DATASETS:
            place = "made up on the spot" if each == "synthetic" else movielens.find(each) or "not on this machine"
            out.print(f"{each:<18}{place}", soft_wrap=True)
        return
    with out.status(f"Reading {name}"):
        ratings, movies = movielens.load(name)
    place = "made up from seed 0" if name == "synthetic" else movielens.find(name)
    users, items = ratings["user_id"].nunique(), ratings["item_id"].nunique()
    out.print(f"{name}: {len(ratings):,} ratings by {users:,} users of {items:,} films ({len(movies):,} listed)")
    out.print(f"{place}", soft_wrap=True)


app.command()(baselines)


def elsewhere(context: typer.Context) -> None:
    """What a command for teachers says where it is not."""
    raise CourseError(f"`course {context.info_name}` is for teachers: it comes with the course's repository only.")


if find_spec("course_utils.grading"):
    from course_utils.book.command import book
    from course_utils.grading.command import demo, grade, report
    from course_utils.grading.handout import build, release
    from course_utils.grading.sandbox.command import sandbox

    for command in (build, release, grade, report, demo, sandbox, book):
        app.command()(command)
else:
    any_words = {"ignore_unknown_options": True, "allow_extra_args": True}
    for name in FOR_TEACHERS:
        app.command(name, hidden=True, context_settings=any_words)(elsewhere)


def main() -> None:
    """Run the command line; turn the errors that we expect into one line."""
    for stream in (sys.stdout, sys.stderr):  # on Windows, a pipe may lack the letters that we write
        stream.reconfigure(errors="replace")
    try:
        app()
    except Exception as error:
        if isinstance(error, OSError) and error.filename:
            line = f"{error.filename}: {error.strerror}"
        elif isinstance(error, CourseError | OSError):
            line = str(error)
        elif isinstance(error, ModuleNotFoundError) and error.name in NEEDED_TO_GRADE:
            line = f"This needs the extra [grading]: pip install -e '.[grading]' ({error})"
        else:
            raise
        typer.echo(line, err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
