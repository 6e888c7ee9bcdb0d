"""The commands `course build` and `course release`: what students get.

Typer and Rich are all that is imported before a command runs, so that `course --help` answers at once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console(highlight=False)
Lessons = Annotated[list[str] | None, typer.Argument(help="Lessons, e.g. 01_explicit_mf; all if none is named.")]


def build(
    lessons: Lessons = None,
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
        what = "kept your work as" if builder.KEPT in path.name else "wrote" if path.exists() else "removed"
        out.print(f"{what} {path.relative_to(course.root)}")
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


def release(
    lessons: Lessons = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Where to; the course's dist/recommender-course.zip if not given.")
    ] = None,
) -> None:
    """Write one zip for students: notebooks, the helper package without the grader, and how to install them."""
    from course_utils.grading import release as releaser
    from course_utils.grading.course import find_course

    course = find_course()
    chosen = [course.lesson(name) for name in lessons] if lessons else course.lessons
    path = (out_file or course.root / "dist" / f"{releaser.FOLDER}.zip").resolve()
    with out.status("Making the students' zip"):
        releaser.release(course, chosen, path)
    out.print(
        f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB): {', '.join(le.name for le in chosen)}", soft_wrap=True
    )
