"""The command `course`. Every failure is one clear line on standard error and a non-zero exit.

Imports of anything slow lie inside the commands, so that `course --help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from course_utils.baselines.command import baselines
from course_utils.book.command import book
from course_utils.grading.command import demo, grade, report

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
out = Console(highlight=False)


@app.callback()
def course() -> None:
    """Build, check and grade the lessons of this course."""


@app.command()
def build(
    lessons: Annotated[
        list[str] | None, typer.Argument(help="Lessons, e.g. 01_explicit_mf; all if none is named.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file is out of date.")] = False,
    execute: Annotated[
        bool, typer.Option("--execute", help="Also run the solutions, each on its own data set.")
    ] = False,
) -> None:
    """Make the student edition, notebooks/, from solutions/."""
    from course_utils.grading import build as builder
    from course_utils.grading.course import find_course

    course = find_course()
    if check:
        problems = builder.check_build(course)
        for problem in problems:
            typer.echo(problem, err=True)
        if problems:
            raise typer.Exit(1)
        out.print(f"In step: {len(course.lessons)} lessons.")
        return
    chosen = [course.lesson(name) for name in lessons] if lessons else None
    changed = builder.build(course, chosen)
    for path in changed:
        out.print(f"{'wrote' if path.exists() else 'removed'} {path.relative_to(course.root)}")
    if not changed:
        out.print("The student edition was up to date.")
    if execute:
        from course_utils.grading.executed import execute_solution
        from course_utils.movielens import load

        lessons_on = [
            (lesson, os.environ.get("COURSE_DATASET") or lesson.dataset) for lesson in chosen or course.lessons
        ]
        for dataset in dict.fromkeys(dataset for _, dataset in lessons_on):
            load(dataset)  # fetched once and checked, before kernels need it
        for lesson, dataset in lessons_on:
            seconds = execute_solution(lesson, dataset)
            out.print(f"executed solutions/{lesson.executed.name} on {dataset} in {seconds:.1f} s")


app.command()(grade)
app.command()(report)


@app.command()
def sandbox(
    install: Annotated[
        bool, typer.Option("--install", help="Also write the kernel course-sandbox, for nbgrader and papermill.")
    ] = False,
) -> None:
    """Say what a sandbox for submissions is made of on this machine, and what limits it has."""
    from course_utils.grading.sandbox.kernelspec import install as install_kernel
    from course_utils.grading.sandbox.machine import report as sandbox_report

    for subject, line in sandbox_report().items():
        out.print(f"{subject:<14}{line}", soft_wrap=True)
    if install:
        out.print(f"wrote {install_kernel()}", soft_wrap=True)


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
app.command()(book)
app.command()(demo)


def main() -> None:
    """Run the command line; turn the errors that we expect into one line."""
    from course_utils.errors import CourseError
    from course_utils.grading.sandbox.settings import SandboxError

    try:
        app()
    except Exception as error:
        if isinstance(error, OSError) and error.filename:
            line = f"{error.filename}: {error.strerror}"
        elif isinstance(error, CourseError | OSError | SandboxError) or is_data_error(error):
            line = str(error)
        else:
            raise
        typer.echo(line, err=True)
        sys.exit(1)


def is_data_error(error: Exception) -> bool:
    """Whether the error is movielens' own, looked up only where that module is loaded: it imports pandas."""
    movielens = sys.modules.get("course_utils.movielens")
    return movielens is not None and isinstance(error, movielens.DataError)


if __name__ == "__main__":
    main()
