"""What a submission costs the grader, and how much memory it takes, as a class grows; beside stock nbgrader.

    python benchmarks/grading.py [--students 1000] [--jobs 2] [--sample 20]

The class hands in the tests' toy lesson (two exercises, NumPy, no training), so nearly all that is measured is
overhead: kernels, judging, nbgrader's own recording and the feedback page. Stock `nbgrader autograde` followed by
`generate_feedback` grades the first few of the same notebooks one after the other, and its time is scaled to the class.
All times are of the wall clock, starting up included; memory is the recording process's peak, without its workers.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest
from rich.console import Console
from rich.table import Table

from course_utils.grading.build import build
from course_utils.grading.course import Course, find_course
from course_utils.grading.grade import Plan, grade

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from toy_course import LESSON, answered, hand_in, importable, make_course

LOOK_AT = (20, 100, 200, 500, 1000)
WRONG = "def double(values):\n    return values"


def make_class(course: Course, folder: Path, n_students: int) -> None:
    """Right and wrong answers in turn."""
    edition = nbformat.read(course.notebooks / f"{LESSON}.ipynb", as_version=4)
    right, wrong = answered(edition), answered(edition, double=WRONG)
    for number in range(n_students):
        hand_in(folder, f"s{number:05}", wrong if number % 2 else right)


def ours(course: Course, submitted: Path, out: Path, jobs: int) -> list[tuple[int, float, float]]:
    """Grade all; returns (submissions so far, seconds so far, peak memory in MB so far) at some of them."""
    seen, started = [], time.perf_counter()

    def look(finished: int, n_all: int, record: dict) -> None:
        if finished in LOOK_AT or finished == n_all:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            seen.append((finished, time.perf_counter() - started, memory))
            print(f"{finished} of {n_all}: {seen[-1][1]:.0f} s, {memory:.0f} MB", file=sys.stderr, flush=True)

    grade(course, Plan(submitted, out, "synthetic", jobs=jobs), look)
    return seen


def stock(course: Course, submitted: Path) -> float:
    """Seconds that nbgrader's own commands take for a folder of submissions."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "COURSE_DATASET": "synthetic"}
    call = {"cwd": course.root, "env": environment, "check": True, "capture_output": True}
    subprocess.run(["nbgrader", "generate_assignment", LESSON], **call)
    started = time.perf_counter()
    where = f"--CourseDirectory.submitted_directory={submitted}"
    for command in ("autograde", "generate_feedback"):
        subprocess.run(["nbgrader", command, LESSON, where], **call)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=20, help="submissions that stock nbgrader grades")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        importable(patch, make_course(folder / "course"))
        course = find_course(folder / "course")
        build(course)
        make_class(course, folder / "submitted", options.students)
        make_class(course, folder / "sample", options.sample)
        seen = ours(course, folder / "submitted", folder / "graded", options.jobs)
        seconds = stock(course, folder / "sample")
    table = Table("submissions", "s in all", "s a submission since the line above", "peak memory, MB")
    before, earlier = 0, 0.0
    for finished, spent, memory in seen:
        table.add_row(f"{finished}", f"{spent:.0f}", f"{(spent - earlier) / (finished - before):.2f}", f"{memory:.0f}")
        before, earlier = finished, spent
    console = Console()
    console.print(f"course grade --jobs {options.jobs}, {options.students} submissions, one run", table)
    each = seconds / options.sample
    ratio = each / (seen[-1][1] / options.students)
    console.print(
        f"stock nbgrader on the first {options.sample}, one run: {each:.2f} s a submission, so "
        f"{each * options.students:.0f} s for {options.students}, {ratio:.1f} times as much"
    )


if __name__ == "__main__":
    main()
