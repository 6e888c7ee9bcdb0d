"""The command `course`. Every failure is one clear line on standard error and a non-zero exit.

Imports of anything slow lie inside the commands, so that `course --help` answers at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from course_utils.baselines.command import baselines

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


@contextlib.contextmanager
def resumable() -> Iterator[None]:
    """Answer Ctrl-C, or being told to end, at whatever moment, by one line."""
    interrupt, end = signal.getsignal(signal.SIGINT), signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        typer.echo("Stopped. What is finished is kept; run the same command again to go on.", err=True)
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, end)


@app.command()
@resumable()
def grade(
    submitted: Annotated[Path, typer.Argument(help="Folder of <student>/<lesson>/<lesson>.ipynb.")],
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for gradebook, feedback, grades.csv, report.html.")],
    lesson: Annotated[str, typer.Option(help="Only this lesson; expected of every student.")] = "",
    dataset: Annotated[str, typer.Option(help="Data set; COURSE_DATASET or ml-100k if none is named.")] = "",
    student: Annotated[list[str] | None, typer.Option(help="Only this student; may be given several times.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks that run at the same time on this machine.")] = 1,
    scheduler: Annotated[str, typer.Option(help="Run them on the workers of the Dask scheduler at this address.")] = "",
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that one cell may run.")] = 300,
    notebook_timeout: Annotated[int, typer.Option(min=1, help="Seconds that one notebook may run.")] = 1800,
    budget: Annotated[str, typer.Option(help="fast or full: how long training takes that is not graded.")] = "fast",
    sandbox: Annotated[str, typer.Option(help="auto: what this machine has, else refuse; bwrap; or none.")] = "auto",
    regrade: Annotated[
        bool, typer.Option("--regrade", help="Run finished submissions again, all or those of --student and --lesson.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows of grades.csv as JSON.")] = False,
) -> None:
    """Grade submitted notebooks: gradebook, feedback pages, grades.csv and report.html.

    Each notebook runs in a sandbox, and is judged outside of it. A run that was stopped goes on when started again.
    To grade one exercise anew, --regrade its --lesson: a notebook runs as a whole, and all other marks stay the same.
    """
    from course_utils.grading.course import CourseError, find_course
    from course_utils.grading.grade import Plan
    from course_utils.movielens import default_name

    if budget not in ("fast", "full"):
        raise CourseError(f"--budget is fast or full, not {budget!r}")
    if sandbox not in ("auto", "bwrap", "none"):
        raise CourseError(f"--sandbox is auto, bwrap or none, not {sandbox!r}")
    course = find_course()
    lessons = [course.lesson(lesson)] if lesson else None
    plan = Plan(
        submitted=submitted,
        out=out_folder,
        dataset=dataset or default_name(),
        lessons=lessons,
        jobs=jobs,
        scheduler=scheduler,
        timeout=timeout,
        notebook_timeout=notebook_timeout,
        budget=budget,
        regrade=regrade,
        students=student or None,
        sandboxed=sandbox != "none",
    )
    if plan.sandboxed and not scheduler:
        refuse_without_a_sandbox()
    grade_and_tell(course, plan, as_json)


def refuse_without_a_sandbox() -> None:
    """Raise SandboxError, in one line, if this machine has no sandbox."""
    from course_utils.grading.sandbox import machine
    from course_utils.grading.sandbox.settings import SandboxError

    try:
        machine.check()
    except SandboxError as problem:
        raise SandboxError(f"{problem} Or grade people you trust with --sandbox none.") from None


def grade_and_tell(course, plan, as_json: bool = False) -> None:
    """Grade with a line of progress per submission, then print the table of marks."""
    from dataclasses import asdict

    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from course_utils.grading.grade import grade
    from course_utils.grading.report import refresh
    from course_utils.grading.runfolder import gradebook_is_gone
    from course_utils.grading.submissions import not_looked_at
    from course_utils.movielens import load

    load(plan.dataset)  # fetched once and checked, before kernels need it
    if plan.submitted.is_dir() and (names := not_looked_at(plan.submitted)):
        typer.echo(f"Not a student's folder, so not graded: {', '.join(map(ascii, names))}", err=True)
    if gradebook_is_gone(plan.out):
        text = f"gradebook.db is missing in {plan.out}: everything is run and recorded again"
        typer.echo(f"{text}; marks given by hand are gone with it.", err=True)
    done = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    times = TimeElapsedColumn(), TextColumn("left:"), TimeRemainingColumn()
    # Notebooks may take minutes each, so the time that is left is reckoned from the last hour.
    bar = Progress(*done, *times, console=Console(stderr=True), disable=as_json, speed_estimate_period=3600)
    task = bar.add_task("Grading", total=None)

    def progress(finished: int, total: int, record: dict) -> None:
        bar.start()  # not before: what keeps grading from beginning is one line
        bar.update(task, completed=finished, total=total, description=escape(f"Graded {record['student']}"[:40]))

    try:
        run = grade(course, plan, progress)
    finally:
        bar.stop()
    rows = refresh(run)
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
        return
    print_marks(rows)
    out.print(f"Report: {run.path / 'report.html'}", soft_wrap=True)


def print_marks(rows) -> None:
    """One line per student and lesson."""
    from rich.table import Table
    from rich.text import Text

    table = Table("student", "lesson", "points", "by hand", "what happened")
    for column in table.columns[:4]:
        column.no_wrap = True
    for student, lesson in dict.fromkeys((row.student, row.lesson) for row in rows):
        own = [row for row in rows if (row.student, row.lesson) == (student, lesson)]
        waiting = sum(row.max_score for row in own if row.score is None)
        points = f"{sum(row.score or 0 for row in own):g} of {sum(row.max_score for row in own):g}"
        counts = Counter(row.status for row in own if row.score is not None)
        what = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.most_common())
        table.add_row(Text(student), lesson, points, f"{waiting:g} open" if waiting else "", what)
    out.print(table)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="A folder that `course grade` wrote.")]) -> None:
    """Write grades.csv, report.html and feedback anew, with the marks given by hand since."""
    from course_utils.grading.report import refresh
    from course_utils.grading.runfolder import find_run

    run = find_run(folder.resolve())
    print_marks(refresh(run))
    out.print(f"Report: {run.path / 'report.html'}", soft_wrap=True)


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
    from course_utils.grading.selfcheck import self_check

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


def has_sandbox() -> bool:
    """Whether this machine has a sandbox; says why where it has none."""
    from course_utils.grading.sandbox import machine
    from course_utils.grading.sandbox.settings import SandboxError

    try:
        machine.check()
    except SandboxError as problem:
        out.print(f"These submissions are our own and run without a sandbox. {problem}", soft_wrap=True)
        return False
    return True


@app.command()
@resumable()
def demo(
    out_folder: Annotated[Path | None, typer.Option("--out", help="Where to; the course's demo/ if not given.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Notebooks that run at the same time.")] = os.cpu_count() or 1,
) -> None:
    """Build the student edition, make up a class from known submissions, and grade it."""
    from course_utils import movielens
    from course_utils.grading import build as builder
    from course_utils.grading.course import find_course
    from course_utils.grading.demo import LESSON, make_class
    from course_utils.grading.grade import Plan

    course = find_course()
    folder = (out_folder or course.root / "demo").resolve()
    out.print(f"Building the student edition in {course.notebooks}", soft_wrap=True)
    builder.build(course)
    n_students = make_class(course, folder)
    dataset = movielens.default_name()
    try:
        movielens.load(dataset)
    except movielens.DataError:
        out.print(f"{dataset} cannot be had here, so the demo uses made-up data (synthetic).")
        dataset = "synthetic"
    out.print(f"Grading {n_students} submissions of {LESSON} on {dataset}, {jobs} at a time")
    lessons = [course.lesson(LESSON)]
    plan = Plan(folder / "submitted", folder / "graded", dataset, lessons, jobs, sandboxed=has_sandbox())
    grade_and_tell(course, plan)


def main() -> None:
    """Run the command line; turn the errors that we expect into one line."""
    from course_utils.grading.course import CourseError
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
