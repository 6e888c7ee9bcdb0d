"""The commands `course grade`, `course report` and `course demo`: a class of submissions in, marks out.

Typer and Rich are all that is imported before a command runs, so that `course --help` answers at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console(highlight=False)


@contextlib.contextmanager
def stoppable(then: str) -> Iterator[None]:
    """Answer Ctrl-C, or being told to end, at whatever moment, by one line, which says what to do then."""
    interrupt, end = signal.getsignal(signal.SIGINT), signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        typer.echo(f"Stopped. {then}", err=True)
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, end)


@stoppable("What is finished is kept; run the same command again to go on.")
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
    exercise: Annotated[
        list[str] | None, typer.Option(help="With --regrade: change the marks of this one alone; several times.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows of grades.csv as JSON.")] = False,
) -> None:
    """Grade submitted notebooks: gradebook, feedback pages, grades.csv and report.html.

    Each notebook runs in a sandbox, and is judged outside of it. A run that was stopped goes on when started again.
    """
    from course_utils.errors import CourseError
    from course_utils.grading.course import find_course
    from course_utils.grading.grade import Plan
    from course_utils.grading.sandbox.settings import SandboxError
    from course_utils.movielens import default_name

    if budget not in ("fast", "full"):
        raise CourseError(f"--budget is fast or full, not {budget!r}")
    if sandbox not in ("auto", "bwrap", "none"):
        raise CourseError(f"--sandbox is auto, bwrap or none, not {sandbox!r}")
    if exercise and not regrade:
        raise CourseError("--exercise says what to --regrade; pass both")
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
        exercises=exercise or None,
        sandboxed=sandbox != "none",
    )
    if plan.sandboxed and not scheduler and (reason := why_no_sandbox()):
        raise SandboxError(f"{reason} Or grade people you trust with --sandbox none.")
    grade_and_tell(course, plan, as_json)


def report(folder: Annotated[Path, typer.Argument(help="A folder that `course grade` wrote.")]) -> None:
    """Write grades.csv, report.html and feedback anew, with the marks given by hand since."""
    from course_utils.grading.report import refresh
    from course_utils.grading.runfolder import find_run

    run = find_run(folder.resolve())
    print_marks(refresh(run))
    out.print(f"Report: {run.path / 'report.html'}", soft_wrap=True)


@stoppable("Run the same command again: the demo begins anew.")
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
    for path in builder.build(course):
        if builder.KEPT in path.name:
            out.print(f"Kept your work as {path}", soft_wrap=True)
    n_students = make_class(course, folder)
    dataset = movielens.default_name()
    try:
        movielens.load(dataset)
    except movielens.DataError:
        out.print(f"{dataset} cannot be had here, so the demo uses made-up data (synthetic).")
        dataset = "synthetic"
    out.print(f"Grading {n_students} submissions of {LESSON} on {dataset}, {jobs} at a time")
    if reason := why_no_sandbox():
        out.print(f"These submissions are our own and run without a sandbox. {reason}", soft_wrap=True)
    lessons = [course.lesson(LESSON)]
    plan = Plan(folder / "submitted", folder / "graded", dataset, lessons, jobs, sandboxed=not reason)
    grade_and_tell(course, plan)


def why_no_sandbox() -> str:
    """Why this machine has no sandbox for submissions, in one line; nothing if it has one."""
    from course_utils.grading.sandbox import machine
    from course_utils.grading.sandbox.settings import SandboxError

    try:
        machine.check()
    except SandboxError as problem:
        return str(problem)
    return ""


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
