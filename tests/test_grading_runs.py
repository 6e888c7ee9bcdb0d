"""Runs that are refused, stopped, killed or started twice: what is finished stays, and the reason is one line."""

import json
import os
import shutil
import signal
from pathlib import Path

import nbformat
import pytest
from graders import STOPPED, all_gone, record_of, start_grading, stopped, wait_for, workers_of
from nbgrader.api import Gradebook
from toy_course import DOUBLE, LESSON, WRONG, answered, hand_in, importable, make_course, read_csv

from course_utils import movielens
from course_utils.errors import CourseError
from course_utils.grading.course import find_course
from course_utils.grading.grade import Grading, Plan, grade
from course_utils.grading.report import refresh
from course_utils.grading.runfolder import find_run

SLOW = "import time\ntime.sleep(3)\n" + DOUBLE


def what_counts(out: Path) -> dict[str, bytes]:
    """Path to content of everything that a run's marks are read from."""
    paths = [out / "run.json", *(out / ".work" / "results").rglob("*"), *(out / ".work" / "release").rglob("*")]
    return {str(path): path.read_bytes() for path in paths if path.is_file()}


def test_a_refused_regrade_leaves_the_earlier_run_as_it_was(run, tmp_path, monkeypatch, folders):
    course = find_course(make_course(tmp_path / "course"))
    importable(monkeypatch, course.root)
    first = run(course, *folders)
    before = what_counts(folders[1])
    source = course.root / "solutions" / f"{LESSON}.py"
    text = source.read_text()
    source.write_text(text + "\n" + text[text.rindex("# %% [markdown]") :].replace("00-3-why", "00-4-how"))
    for regrade in (True, False):
        with pytest.raises(CourseError, match=r"00_toy has exercises added or removed .*; choose another --out$"):
            run(course, *folders, regrade=regrade)
        assert what_counts(folders[1]) == before
    source.write_text(text + '\n# %% nbgrader={"grade": true}\n1 + 1\n')
    with pytest.raises(CourseError, match="nbgrader metadata lacks"):
        run(course, *folders, regrade=True)
    assert what_counts(folders[1]) == before
    refresh(find_run(folders[1]))
    assert read_csv(folders[1]) == first


def test_a_regrade_of_one_lesson_never_changes_the_data_of_another(
    run, tmp_path, monkeypatch, folders, student_edition
):
    submitted, out = folders
    course = find_course(make_course(tmp_path / "course"))
    importable(monkeypatch, course.root)
    source = course.root / "solutions" / f"{LESSON}.py"
    (course.root / "solutions" / "01_twin.py").write_text(source.read_text().replace("-00-", "-01-"))
    twin = nbformat.writes(answered(student_edition)).replace("-00-", "-01-")
    (submitted / "ada" / "01_twin").mkdir()
    (submitted / "ada" / "01_twin" / "01_twin.ipynb").write_text(twin)
    run(course, submitted, out)
    before = what_counts(out)
    for regrade in (True, False):
        with pytest.raises(CourseError, match=r"holds 01_twin with another training budget.*choose another --out$"):
            run(course, submitted, out, lessons=[course.lesson(LESSON)], budget="full", regrade=regrade)
    assert what_counts(out) == before


def test_a_folder_that_is_being_written_is_left_alone_by_a_second_run_and_by_report(
    run, course, student_edition, folders
):
    submitted, out = folders
    hand_in(submitted, "zoe", answered(student_edition, double=SLOW))
    process = start_grading(course, submitted, out)
    wait_for(record_of(out, "ada").exists)
    before = (out / "run.json").read_bytes(), record_of(out, "ada").stat().st_mtime_ns
    for attempt in (
        lambda: run(course, submitted, out, regrade=True),
        lambda: run(course, submitted, out, budget="full", regrade=True),
        lambda: refresh(find_run(out)),
    ):
        with pytest.raises(CourseError, match="another `course` command is writing into"):
            attempt()
        assert ((out / "run.json").read_bytes(), record_of(out, "ada").stat().st_mtime_ns) == before
    assert process.poll() is None
    assert process.wait(60) == 0
    assert len(read_csv(out)) == 9


def test_finished_marks_outlive_the_files_they_were_given_for(run, course, student_edition, tmp_path):
    submitted, out = tmp_path / "submitted", tmp_path / "graded"
    own = submitted / "self-deleting" / LESSON / f"{LESSON}.ipynb"
    hand_in(submitted, "self-deleting", answered(student_edition, double=f"os.remove({str(own)!r})\n{DOUBLE}"))
    for name in ("overwritten", "gone", "stays"):
        hand_in(submitted, name, answered(student_edition))
    first = run(course, submitted, out)
    assert not own.exists()
    shutil.rmtree(submitted / "gone")
    hand_in(submitted, "overwritten", '{"cells": [')
    reasons = {
        "self-deleting": "The file is gone since; the earlier version counts.",
        "gone": "The file is gone since; the earlier version counts.",
        "overwritten": "The new file cannot be read: 00_toy.ipynb is not a notebook",
        "stays": "",
    }
    for regrade in (False, True):
        rows = run(course, submitted, out, regrade=regrade)
        assert {key: row["score"] for key, row in rows.items()} == {key: row["score"] for key, row in first.items()}
        for student, reason in reasons.items():
            assert rows[student, "00-1-double"]["message"].startswith(
                reason or first[student, "00-1-double"]["message"]
            )
        report = (out / "report.html").read_text()
        assert report.count("the file is gone since; the earlier version counts</li>") == 2
        assert report.count("the new file cannot be read") == 1
    hand_in(submitted, "overwritten", answered(student_edition, double=WRONG))
    assert run(course, submitted, out)["overwritten", "00-1-double"]["status"] == "failed"


def test_a_regrade_that_was_stopped_has_lost_nothing_and_goes_on_without_the_option(
    run, course, student_edition, folders
):
    submitted, out = folders
    first = run(course, submitted, out)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade(course, Plan(submitted, out, "synthetic", regrade=True), stop)
    refresh(find_run(out))
    assert read_csv(out) == first
    before = {name: record_of(out, name).stat().st_mtime_ns for name in ("ada", "bob")}
    run(course, submitted, out)
    again = [name for name in before if record_of(out, name).stat().st_mtime_ns > before[name]]
    assert len(again) == 1


def test_a_submission_that_kills_the_worker_costs_nobody_else_a_mark(run, course, student_edition, tmp_path):
    submitted, out = tmp_path / "submitted", tmp_path / "graded"
    being_recorded = out / ".work" / "submitted" / "a1" / LESSON / f"{LESSON}.ipynb"
    # The worker dies while the main process is busy, so that the next thing it does is to hand in new work.
    killer = f"import time\nwhile not os.path.exists({str(being_recorded)!r}):\n    time.sleep(0.01)\n"
    killer += "os.kill(os.getppid(), 9)\n" + DOUBLE
    honest = ("a1", "c3", "d4")
    for name in honest:
        hand_in(submitted, name, answered(student_edition))
    hand_in(submitted, "b2", answered(student_edition, double=killer))
    rows = run(course, submitted, out, scheduler="")
    double = {student: row for (student, exercise), row in rows.items() if exercise == "00-1-double"}
    assert {student for student, row in double.items() if row["status"] == "ok"} == set(honest)
    assert (double["b2"]["status"], double["b2"]["score"]) == ("memory", "0")
    assert "the process that ran the notebook was killed" in double["b2"]["message"]


def test_workers_end_with_a_main_process_that_is_killed_while_they_start(course, folders):
    process = start_grading(course, *folders)
    wait_for(lambda: workers_of(process.pid))
    workers = workers_of(process.pid)
    process.kill()
    process.wait()
    all_gone(workers)


@pytest.mark.parametrize("by", [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="kill")])
def test_being_stopped_is_one_line_and_leaves_no_process_behind(by, course, student_edition, folders, tmp_path):
    submitted, out = folders
    pid_file = tmp_path / "pid"
    hand_in(submitted, "zoe", answered(student_edition, double=(
        f"import subprocess, time\nopen({str(pid_file)!r}, 'w').write(str(subprocess.Popen(['sleep', '60']).pid))\n"
        f"time.sleep(60)\n{DOUBLE}")))  # fmt: skip
    process = start_grading(course, submitted, out, "--json", "--jobs", "3")
    wait_for(lambda: pid_file.exists() and pid_file.read_text() and record_of(out, "bob").exists())
    workers = workers_of(process.pid)
    assert len(workers) == 1  # three jobs share it
    (os.killpg if by == signal.SIGINT else os.kill)(process.pid, by)
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert told == STOPPED
    all_gone([*workers, int(pid_file.read_text())], seconds=5)
    assert not (out / ".work" / "workers").exists()


@pytest.mark.slow
def test_ctrl_c_while_workers_start_is_the_same_line(course, folders):
    process = start_grading(course, *folders, "--json", "--jobs", "2")
    wait_for(lambda: workers_of(process.pid))
    os.killpg(process.pid, signal.SIGINT)
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert told == STOPPED


def test_ctrl_c_before_anything_runs_is_the_same_line(course, folders, one_line, monkeypatch):
    def stop(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(movielens, "load", stop)
    words = ("grade", str(folders[0]), "--out", str(folders[1]), "--dataset", "synthetic", "--sandbox", "none")
    assert one_line(*words, code=130).startswith("Stopped. What is finished is kept")


def test_a_run_stopped_before_its_first_lesson_is_one_line_to_report_and_goes_on(run, course, folders, one_line):
    submitted, out = folders
    (out / ".work").mkdir(parents=True)
    (out / ".work" / "lock").touch()
    assert "holds no grading run" in one_line("report", str(out))
    run(course, submitted, out)
    shutil.rmtree(out / ".work" / "release")  # where nbgrader is while it makes the release anew
    before = (out / "run.json").read_bytes()
    assert "was stopped before 00_toy was prepared; run the same `course grade` again" in one_line("report", str(out))
    assert (out / "run.json").read_bytes() == before
    assert len(run(course, submitted, out)) == 6


def test_only_the_chosen_students_are_graded_and_regraded(run, course, folders, one_line, monkeypatch):
    submitted, out = folders
    assert {student for student, _ in run(course, submitted, out, students=["bob"])} == {"bob"}
    first = run(course, submitted, out)
    before = {name: record_of(out, name).stat().st_mtime_ns for name in ("ada", "bob")}
    nowhere = Plan(submitted, out, "synthetic", regrade=True, students=["ada"], scheduler="nowhere")
    with pytest.raises(CourseError, match="No Dask scheduler can be talked to at nowhere"):
        grade(course, nowhere)  # does not even begin
    assert run(course, submitted, out, students=["ada"]) == first
    assert record_of(out, "ada").stat().st_mtime_ns == before["ada"]
    with monkeypatch.context() as patch:
        patch.setattr(Grading, "all", stopped)
        with pytest.raises(CourseError, match="stopped"):
            run(course, submitted, out, regrade=True, students=["ada"])  # asks for it, and comes no further
    assert run(course, submitted, out, students=["ada"]) == first
    assert record_of(out, "ada").stat().st_mtime_ns > before["ada"]
    assert record_of(out, "bob").stat().st_mtime_ns == before["bob"]
    words = (
        "grade",
        str(submitted),
        "--out",
        str(out),
        "--dataset",
        "synthetic",
        "--student",
        "eve",
        "--sandbox",
        "none",
    )
    assert one_line(*words) == f"{submitted} holds no folder of eve"
    with pytest.raises(CourseError, match=r"another training budget; .* --regrade without --student"):
        run(course, submitted, out, students=["ada"], regrade=True, budget="full")


def test_half_a_record_counts_as_not_finished(run, course, folders):
    submitted, out = folders
    first = run(course, submitted, out)
    record = record_of(out, "bob")
    record.write_text(record.read_text()[:100])
    refresh(find_run(out))
    assert {student for student, _ in read_csv(out)} == {"ada"}
    assert run(course, submitted, out) == first


def test_an_out_that_cannot_be_is_one_line_that_names_it(folders, one_line, tmp_path):
    (tmp_path / "file").write_text("")
    words = ("grade", str(folders[0]), "--dataset", "synthetic", "--sandbox", "none", "--out")
    assert f"{tmp_path}/file/graded cannot be made: Not a directory" in one_line(*words, str(tmp_path / "file/graded"))
    assert one_line(*words, str(tmp_path / ("x" * 300))).endswith(f"{'x' * 300}/run.json: File name too long")


def test_a_lost_gradebook_is_said_and_grading_again_mends_it(run, course, folders, one_line):
    submitted, out = folders
    first = run(course, submitted, out)
    table = (out / "grades.csv").read_bytes()
    (out / "gradebook.db").unlink()
    line = one_line("report", str(out))
    assert "gradebook.db is missing in" in line
    assert "`course grade` into this folder again mends it" in line
    assert (out / "grades.csv").read_bytes() == table
    assert not (out / "gradebook.db").exists()
    shutil.rmtree(submitted / "ada")
    process = start_grading(course, submitted, out, "--json")
    told = process.communicate(timeout=120)[1]
    assert "everything is run and recorded again; marks given by hand are gone with it" in told
    rows = read_csv(out)
    assert {key: row["score"] for key, row in rows.items()} == {key: row["score"] for key, row in first.items()}
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as gradebook:
        assert gradebook.find_grade("check-00-2-ladder", LESSON, LESSON, "bob").auto_score == 3
    assert json.loads((out / "run.json").read_text())["round"] == 1
