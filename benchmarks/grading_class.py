"""What grading.py measures: a class is made, graded by `course grade`'s own functions, and by nbgrader's commands."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table

from course_utils import movielens
from course_utils.grading import grade as grading
from course_utils.grading.build import build, release_notebooks
from course_utils.grading.course import Course, find_course
from course_utils.grading.grade import Plan, grade
from course_utils.grading.patches import Patch, apply_patch
from course_utils.grading.stage import read_source

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import toy_course

REPO = Path(__file__).resolve().parents[1]
LOOK_AT = (20, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
WRONG = "def double(values):\n    return values"


def make_toy(folder: Path, patch: pytest.MonkeyPatch) -> Course:
    """The tests' toy course, whose notebook imports torch, and whose checks every sandbox is to show."""
    settings_of, checks = grading.settings_of, folder / "site-packages" / "toy_checks.py"

    def with_checks(*arguments):
        settings = settings_of(*arguments)
        return replace(settings, sandbox=replace(settings.sandbox, binds={str(checks): "/course/toy_checks.py"}))

    patch.setattr(grading, "settings_of", with_checks)
    patch.setattr(toy_course, "SOURCE", toy_course.SOURCE.replace("import os\n", "import os\n\nimport torch\n", 1))
    toy_course.importable(patch, toy_course.make_course(folder))
    return find_course(folder)


def make_lesson(folder: Path, name: str) -> Course:
    """A course of one real lesson."""
    for path in (REPO / "solutions" / f"{name}.py", REPO / "nbgrader_config.py"):
        copy = folder / path.relative_to(REPO)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return find_course(folder)


def make_class(course: Course, folder: Path, n_students: int) -> None:
    """Right answers, and in the toy lesson wrong ones in turn."""
    (lesson,) = course.lessons
    edition = release_notebooks(course, [lesson])[lesson]
    if lesson.name == toy_course.LESSON:
        works = [toy_course.answered(edition), toy_course.answered(edition, double=WRONG)]
    else:
        works = [apply_patch(Patch("whole", lesson.name), edition, read_source(lesson))]
    for number in range(n_students):
        path = folder / f"s{number:05}" / lesson.name / f"{lesson.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(works[number % len(works)], path)


def ours(course: Course, plan: Plan) -> tuple[list[tuple[int, float, float]], float]:
    """Grade all; returns (submissions so far, seconds so far, memory in MB) at some of them, and seconds in kernels."""
    seen, started, in_kernels = [], time.perf_counter(), 0.0
    process = psutil.Process()

    def look(finished: int, n_all: int, record: dict) -> None:
        nonlocal in_kernels
        in_kernels += record["seconds"]
        if finished in LOOK_AT or finished == n_all:
            seen.append((finished, time.perf_counter() - started, process.memory_info().rss / 2**20))
            print(f"{finished} of {n_all}: {seen[-1][1]:.0f} s, {seen[-1][2]:.0f} MB", file=sys.stderr, flush=True)

    grade(course, plan, look)
    return seen, in_kernels


def stock(course: Course, submitted: Path, dataset: str) -> float:
    """Seconds that nbgrader's own commands take for a folder of submissions."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "COURSE_DATASET": dataset, "COURSE_BUDGET": "full"}
    call = {"cwd": course.root, "env": environment, "check": True, "capture_output": True}
    (lesson,) = course.lessons
    subprocess.run(["nbgrader", "generate_assignment", lesson.name], **call)
    started = time.perf_counter()
    where = f"--CourseDirectory.submitted_directory={submitted}"
    for command in ("autograde", "generate_feedback"):
        subprocess.run(["nbgrader", command, lesson.name, where], **call)
    return time.perf_counter() - started


def marks(database: Path, lesson: str) -> dict[str, float]:
    """Student to the machine's points."""
    with Gradebook(f"sqlite:///{database}") as gradebook:
        submissions = gradebook.assignment_submissions(lesson)
        return {
            one.student_id: sum(grade.auto_score or 0.0 for grade in one.notebooks[0].grades) for one in submissions
        }


def main(description: str) -> None:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=40, help="submissions that stock nbgrader grades")
    parser.add_argument("--lesson", default="toy", help="toy, or a lesson of the course such as 01_explicit_mf")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder, toy = Path(name), options.lesson == "toy"
        course = make_toy(folder / "course", patch) if toy else make_lesson(folder / "course", options.lesson)
        dataset = "synthetic" if toy else movielens.default_name()
        build(course)
        submitted, out = folder / "submitted", folder / "graded"
        make_class(course, submitted, options.students)
        plan = Plan(submitted, out, dataset, jobs=options.jobs, budget="full", sandboxed=True)
        seen, in_kernels = ours(course, plan)
        table = Table("submissions", "s in all", "s a submission since the line above", "memory, MB")
        before, earlier = 0, 0.0
        for finished, spent, memory in seen:
            table.add_row(
                f"{finished}", f"{spent:.1f}", f"{(spent - earlier) / (finished - before):.2f}", f"{memory:.0f}"
            )
            before, earlier = finished, spent
        console.print(f"course grade --jobs {options.jobs}, {course.lessons[0].name}, one run", table)
        console.print(f"{in_kernels / options.students:.2f} s a submission in its kernel")
        if not options.sample:
            return
        make_class(course, folder / "sample", options.sample)
        seconds = stock(course, folder / "sample", dataset)
        theirs = marks(course.root / "gradebook.db", course.lessons[0].name)
        own = marks(out / "gradebook.db", course.lessons[0].name)
        same = sum(own[student] == mark for student, mark in theirs.items() if student in own)
        each = seconds / options.sample
        ratio = each / (seen[-1][1] / options.students)
        console.print(
            f"stock nbgrader on {options.sample}, one run: {each:.2f} s a submission, {ratio:.1f} times as much; "
            f"{same} of {len(theirs)} marks the same"
        )
