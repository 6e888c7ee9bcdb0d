"""The command `course`. Every failure is one clear line on standard error and a non-zero exit.

Imports of anything slow lie inside the commands, so that `course --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

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
    execute: Annotated[bool, typer.Option("--execute", help="Also run the solutions, on real data.")] = False,
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

        dataset = os.environ.get("COURSE_DATASET", "ml-100k")
        load(dataset)  # fetched once and checked, before kernels need it
        for lesson in chosen or course.lessons:
            seconds = execute_solution(lesson, dataset)
            out.print(f"executed solutions/{lesson.executed.name} on {dataset} in {seconds:.1f} s")


def main() -> None:
    """Run the command line; turn the errors that we expect into one line."""
    from course_utils.grading.course import CourseError

    try:
        app()
    except CourseError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except Exception as error:
        if not is_data_error(error):
            raise
        typer.echo(str(error), err=True)
        sys.exit(1)


def is_data_error(error: Exception) -> bool:
    """Whether the error is movielens' own, looked up only where that module is loaded: it imports pandas."""
    movielens = sys.modules.get("course_utils.movielens")
    return movielens is not None and isinstance(error, movielens.DataError)
