"""The grading command in a process of its own, for tests that stop and kill it."""

import functools
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from toy_course import LESSON

from course_utils.errors import CourseError

COURSE = [sys.executable, "-m", "course_utils.cli"]
STOPPED = "Stopped. What is finished is kept; run the same command again to go on.\n"


def stopped(*_) -> None:
    """Stands in for what a run is to come no further than."""
    raise CourseError("stopped")


def record_of(out: Path, student: str) -> Path:
    return out / ".work" / "results" / LESSON / f"{student}.json"


def wait_for(condition: Callable[[], object], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def start_grading(course, submitted: Path, out: Path, *options: str) -> subprocess.Popen:
    """The command in a process group of its own, as a terminal starts it."""
    command = [
        *COURSE,
        "grade",
        str(submitted),
        "--out",
        str(out),
        "--dataset",
        "synthetic",
        "--sandbox",
        "none",
        *options,
    ]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    # Tests that a script runs in the background ignore Ctrl-C, and would hand that on.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, cwd=course.root, start_new_session=True, preexec_fn=heed, **pipes)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def workers_of(pid: int) -> list[int]:
    """The processes that it has started to grade in."""
    children = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")).split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def all_gone(pids: list[int], seconds: float = 15) -> None:
    wait_for(lambda: not any(is_alive(pid) for pid in pids), seconds)
