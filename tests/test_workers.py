"""Workers, on this machine and elsewhere: the same marks wherever they run, and nothing lost whatever is killed."""

import csv
import functools
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from distributed import Client
from distributed.security import Security
from graders import all_gone, start_grading, wait_for, workers_of
from sandboxes import REPO, needs_bubblewrap
from toy_course import DOUBLE, answered, hand_in

from course_utils.errors import CourseError
from course_utils.grading import runfolder, workers
from course_utils.grading.build import release_notebooks
from course_utils.grading.course import find_course
from course_utils.grading.grade import Plan, grade
from course_utils.grading.gradebook import Recorder
from course_utils.grading.patches import apply_patch, read_patches
from course_utils.grading.stage import read_source
from course_utils.grading.workers import connect, fan_out, run_and_judge
from course_utils.grading.worlds import Exam
from course_utils.running.runner import Settings

NO_CHECKS = Exam((), "synthetic", 1)


def answers(student: int) -> dict[str, str]:
    """Answers that deserve another mark from student to student."""
    double = [DOUBLE, "def double(values):\n    return values", "def double(values):\n    raise ValueError", ""]
    return {"double": double[student % 4], "climb": f"def climb():\n    return {student % 3}"}


def make_class(student_edition, submitted: Path, n_students: int) -> list[str]:
    names = [f"s{number:02}" for number in range(n_students)]
    for number, name in enumerate(names):
        hand_in(submitted, name, answered(student_edition, **answers(number)))
    return names


def leave_a_pid_and_sleep(file: Path) -> str:
    """An answer that says which process it runs in, and takes its time, once."""
    sleep = f"if not os.path.exists({str(file)!r}):\n    open({str(file)!r}, 'w').write(str(os.getpid()))\n"
    return f"import os, time\n{sleep}    time.sleep(120)\n{DOUBLE}"


def marks_of(out: Path) -> dict:
    return Recorder(out).marks()


def rows_of(out: Path) -> list[dict]:
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def recorded(out: Path) -> dict[str, int]:
    """Who is recorded, and when."""
    return {path.stem: path.stat().st_mtime_ns for path in (out / ".work" / "results").glob("*/[!.]*.json")}


def test_workers_at_other_addresses_give_the_marks_of_workers_here(run, course, student_edition, tmp_path, monkeypatch):
    monkeypatch.setattr(runfolder.secrets, "randbelow", lambda below: 7)
    make_class(student_edition, tmp_path / "submitted", 4)  # every answer that `answers` knows
    here = run(course, tmp_path / "submitted", tmp_path / "here", scheduler="")
    elsewhere = run(course, tmp_path / "submitted", tmp_path / "elsewhere")
    assert here == elsewhere
    assert marks_of(tmp_path / "here") == marks_of(tmp_path / "elsewhere")
    assert not (tmp_path / "here" / ".work" / "workers").exists()


def test_the_hand_started_workers_both_take_part(scheduler):
    with Client(scheduler, set_as_default=False) as client:
        wait_for(lambda: len(client.nthreads()) == 2)
        assert {address.split(":")[1] for address in client.nthreads()} == {"//127.0.0.2", "//127.0.0.3"}


def test_a_killed_worker_takes_its_kernel_along_and_costs_nobody_a_mark(course, student_edition, tmp_path):
    submitted, out, file = tmp_path / "submitted", tmp_path / "graded", tmp_path / "pid"
    for name in ("ada", "bob"):
        hand_in(submitted, name, answered(student_edition))
    hand_in(submitted, "zoe", answered(student_edition, double=leave_a_pid_and_sleep(file)))
    process = start_grading(course, submitted, out, "--json", "--jobs", "2")
    wait_for(lambda: file.exists() and file.read_text() and len(recorded(out)) == 2)
    before, kernel = recorded(out), psutil.Process(int(file.read_text()))
    os.kill(kernel.ppid(), signal.SIGKILL)
    all_gone([kernel.pid])
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 0
    assert recorded(out) == {**before, "zoe": recorded(out)["zoe"]}
    assert {(row["exercise"], row["status"]) for row in rows_of(out) if row["student"] == "zoe"} >= {
        ("00-1-double", "ok"),
        ("00-2-ladder", "ok"),
    }


def test_a_killed_grader_takes_its_workers_and_their_kernels_along(course, student_edition, tmp_path):
    submitted, out, file = tmp_path / "submitted", tmp_path / "graded", tmp_path / "pid"
    hand_in(submitted, "zoe", answered(student_edition, double=leave_a_pid_and_sleep(file)))
    process = start_grading(course, submitted, out, "--json", "--jobs", "2")
    wait_for(lambda: file.exists() and file.read_text())
    family = [*workers_of(process.pid), int(file.read_text())]
    process.kill()
    process.communicate()
    all_gone(family)


@pytest.mark.slow
def test_workers_elsewhere_drop_what_a_killed_grader_leaves_behind(run, course, student_edition, tmp_path, scheduler):
    submitted, out, file = tmp_path / "submitted", tmp_path / "graded", tmp_path / "pid"
    hand_in(submitted, "zoe", answered(student_edition, double=leave_a_pid_and_sleep(file)))
    process = start_grading(course, submitted, out, "--json", "--scheduler", scheduler)
    wait_for(lambda: file.exists() and file.read_text())
    process.kill()
    process.communicate()
    all_gone([int(file.read_text())])
    assert run(course, submitted, out)["zoe", "00-1-double"]["status"] == "ok"


def kill_and_resume(moments: list[float], start, run_to_the_end, out: Path, undisturbed: Path) -> None:
    """Kill a run `moments` seconds after each start, then let it end; its marks must be those of an undisturbed run."""
    before: dict[str, int] = {}
    for moment in moments:
        process = start()
        time.sleep(moment)
        process.kill()
        process.communicate()
        assert recorded(out).items() >= before.items(), "what was recorded has been run twice"
        before = recorded(out)
    assert run_to_the_end() == 0
    assert recorded(out).items() >= before.items(), "what was recorded has been run twice"
    assert rows_of(out) == rows_of(undisturbed)
    assert marks_of(out) == marks_of(undisturbed)


def killed_at_random(course, submitted: Path, n_kills: int, rng, *options: str, **plan) -> None:
    """Grade a class twice, once undisturbed. `options` of the command and `plan` say the same."""
    out, undisturbed = submitted.parent / "graded", submitted.parent / "undisturbed"

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # so that both have the same seed
        grade(course, Plan(submitted, out, "synthetic", **plan), stop)
    shutil.copytree(out, undisturbed)
    started = time.monotonic()
    start = functools.partial(start_grading, course, submitted, undisturbed, *options)
    assert start().wait() == 0
    each = (time.monotonic() - started) / n_kills
    moments = rng.uniform(0, 2 * each, n_kills)  # in all about as long as the run takes, so that most find it at work
    start = functools.partial(start_grading, course, submitted, out, *options)
    kill_and_resume(moments, start, lambda: start().wait(), out, undisturbed)


@pytest.mark.slow
def test_a_grader_killed_at_random_moments_goes_on_to_the_same_marks(course, student_edition, tmp_path, rng, scheduler):
    submitted = tmp_path / "submitted"
    make_class(student_edition, submitted, 4)
    killed_at_random(course, submitted, 2, rng, "--json", "--scheduler", scheduler, scheduler=scheduler)


@pytest.mark.slow
@needs_bubblewrap
def test_a_grader_of_forty_killed_at_twenty_moments_goes_on_to_the_same_marks(tmp_path, rng):
    course, submitted = find_course(REPO), tmp_path / "submitted"
    lesson = course.lesson("00_ratings")
    edition, reference = release_notebooks(course, [lesson])[lesson], read_source(lesson)
    works = [apply_patch(patch, edition, reference) for patch in read_patches(course.submissions / lesson.name)]
    for number in range(40):
        path = submitted / f"s{number:02}" / lesson.name / f"{lesson.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(works[number % len(works)], path)
    killed_at_random(course, submitted, 20, rng, "--json", "--jobs", "2", "--sandbox", "bwrap", jobs=2, sandboxed=True)


def test_nobody_else_can_reach_the_workers_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with connect("", 1, tmp_path / "scratch") as client:
        wait_for(client.nthreads)
        address = client.scheduler.address
        family = [psutil.Process(pid) for pid in (os.getpid(), *workers_of(os.getpid()))]
        listening = [at.laddr for one in family for at in one.net_connections("tcp") if at.status == psutil.CONN_LISTEN]
        assert len(listening) == 3, "the scheduler, a worker and its nanny, and no web server"
        assert {at.ip for at in listening} == {"127.0.0.1"}
        with pytest.raises(OSError, match="certificate does not match"):
            Client(address, security=Security.temporary(), timeout=1, set_as_default=False)
    assert os.listdir(tmp_path) == []


def test_no_scheduler_at_the_address_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "CONNECT_SECONDS", 1)
    with (
        pytest.raises(CourseError, match=r"^No Dask scheduler can be talked to at tcp://127\.0\.0\.1:1: .*"),
        connect("tcp://127.0.0.1:1", 1, tmp_path),
    ):
        pass


def test_a_worker_with_other_code_or_without_the_data_refuses_and_says_where():
    with pytest.raises(CourseError, match=r"^The worker on .+ cannot grade: another version of course_utils"):
        run_and_judge('{"cells": []}', Settings(), NO_CHECKS, "another")
    with pytest.raises(CourseError, match=r"^The worker on .+ cannot grade: .*ml-42k"):
        run_and_judge('{"cells": []}', Settings(), Exam((), "ml-42k", 1), "")


def test_what_breaks_while_one_notebook_is_judged_is_that_notebooks_error(course, student_edition, monkeypatch):
    def breaks(*_):
        raise RecursionError("too deep")

    monkeypatch.setattr(workers, "execute", breaks)
    text = workers.nbformat.writes(answered(student_edition))
    _, outcome, verdicts = run_and_judge(text, Settings(), NO_CHECKS, "")
    assert (outcome.status, outcome.message) == ("error", "the notebook could not be graded: RecursionError: too deep")
    assert {verdict.status for verdict in verdicts.values()} == {"error"}


def test_jobs_are_taken_as_workers_get_free(scheduler, monkeypatch):
    monkeypatch.setattr(workers, "run_and_judge", abs)
    taken = []
    with Client(scheduler, set_as_default=False) as client:
        jobs = ((number, (number,)) for number in range(-50, 0) if not taken.append(number))
        _, first = next(results := fan_out(client, jobs, at_least=1))
        assert first > 40
        assert len(taken) <= 2 * 2 + 2
        assert sorted([first, *(value for _, value in results)]) == list(range(1, 51))
