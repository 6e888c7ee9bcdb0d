"""Grading through real nbgrader and real kernels, on a toy course: every odd submission gets its own plain word."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook
from toy_course import LESSON, answered, changed, hand_in, place, read_csv

from course_utils.baselines import recorded
from course_utils.errors import CourseError
from course_utils.grading.course import find_course
from course_utils.grading.grade import Plan, grade
from course_utils.grading.report import refresh
from course_utils.grading.stage import read_source
from course_utils.grading.worlds import Examiner, exam_of


def run(course, submitted: Path, out: Path, **settings):
    """Grade and write the tables; returns {(student, exercise): row of grades.csv}."""
    folder = grade(course, Plan(submitted, out, "synthetic", timeout=3, jobs=2, **settings))
    refresh(folder)
    return read_csv(out)


def delete(grade_id):
    return lambda notebook: notebook.cells.pop(place(notebook, grade_id))


def edit(grade_id, source):
    def change(notebook):
        notebook.cells[place(notebook, grade_id)].source = source

    return change


def duplicate(notebook):
    notebook.cells += copy.deepcopy(notebook.cells[2:4])


def strip_metadata(notebook):
    for number, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = {}, f"x{number}"


def damage_metadata(notebook):
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.pop("schema_version")
            cell.metadata.nbgrader["points"] = "many"


def retype(notebook):
    for grade_id in ("ex-00-1-double", "check-00-1-double"):
        cell = notebook.cells[place(notebook, grade_id)]
        cell.cell_type = "markdown"
        del cell["outputs"], cell["execution_count"]


def raise_points(notebook):
    notebook.cells[place(notebook, "check-00-1-double")].metadata.nbgrader.points = 100


def use_another_kernel(notebook):
    notebook.metadata.kernelspec = {"name": "julia-1.9", "display_name": "Julia", "language": "julia"}


@pytest.fixture(scope="module")
def graded(course, student_edition, tmp_path_factory):
    """The odd class, graded once: (rows, out folder)."""
    folder = tmp_path_factory.mktemp("class")
    submitted = folder / "submitted"
    right = answered(student_edition, why="Because of <script>alert(1)</script>.")
    works = {
        "right": right,
        "untouched": student_edition,
        "=cmd": right,
        "o'[b]rien <b>": right,
        "half": answered(student_edition, climb="def climb():\n    return 2"),
        "wrong": answered(student_edition, double="def double(values):\n    return values"),
        "warns": answered(student_edition, double="def double(values):\n    import sys, warnings\n"
                          "    print('50%', file=sys.stderr); warnings.warn('careful')\n    return values * 2"),
        "remembers": answered(student_edition, double=f"def double(values):\n    return {public_answer()}"),
        "raises": answered(student_edition, double="def double(values):\n    return values + undefined_name"),
        "typo": answered(student_edition, double="def double(values) return values"),
        "loops": answered(student_edition, double="def double(values):\n    while True:\n        pass"),
        "eats-memory": answered(student_edition, double="def double(values):\n    raise MemoryError"),
        "killed": answered(student_edition, climb="def climb():\n    os.kill(os.getpid(), 9)"),
        "leaves": answered(student_edition, climb="def climb():\n    os._exit(0)"),
        "deleted": changed(right, delete("check-00-1-double")),
        "deleted-both": changed(changed(student_edition, delete("ex-00-1-double")), delete("check-00-1-double")),
        "edited": changed(right, edit("check-00-1-double", "2")),
        "edited-wrong": changed(answered(student_edition, double="def double(values):\n    return 0"),
                                edit("check-00-1-double", "2")),
        "points": changed(right, raise_points),
        "duplicated": changed(right, duplicate),
        "stripped": changed(right, strip_metadata),
        "damaged": changed(right, damage_metadata),
        "retyped": changed(right, retype),
        "kernel": changed(right, use_another_kernel),
        "not-json": '{"cells": [',
        "not-a-notebook": '{"answers": 42}',
        "empty": "",
        "another-lesson": nbformat.writes(new_notebook(cells=[new_code_cell("1 + 1")])),
    }  # fmt: skip
    for student, work in works.items():
        hand_in(submitted, student, work)
    hand_in(submitted, "misnamed", right, "homework.ipynb")
    hand_in(submitted, "two-files", right, "a.ipynb")
    hand_in(submitted, "two-files", right, "b.ipynb")
    (submitted / "no-folder").mkdir()
    (submitted / "linked" / LESSON).mkdir(parents=True)
    (submitted / "linked" / LESSON / f"{LESSON}.ipynb").symlink_to(submitted / "right" / LESSON / f"{LESSON}.ipynb")
    rows = run(course, submitted, folder / "graded")
    return rows, folder / "graded"


def public_answer() -> str:
    """What double gives in the public world, written out: worth nothing where the world is secret."""
    import zlib

    import numpy as np

    values = np.random.default_rng([0, zlib.crc32(b"toy_checks.double")]).normal(size=5)
    return f"__import__('numpy').array({(2 * values).tolist()})"


EXPECTED = {
    # student: (score, status, words of the message) of 00-1-double
    "right": (2, "ok", "all values doubled"),
    "untouched": (0, "not_attempted", "till to do"),
    "'=cmd": (2, "ok", ""),
    "o'[b]rien <b>": (2, "ok", ""),
    "wrong": (0, "failed", "Twice each value."),
    "warns": (2, "ok", "all values doubled"),
    "remembers": (0, "failed", "Twice each value."),
    "raises": (0, "error", "NameError: name 'undefined_name' is not defined"),
    "typo": (0, "error", "The exercise's cell raised SyntaxError"),
    "loops": (0, "timeout", "interrupted after 3 s"),
    "eats-memory": (0, "memory", "MemoryError"),
    "killed": (2, "ok", ""),
    "leaves": (2, "ok", ""),
    "deleted": (2, "ok", "The check cell had been deleted; it was put back."),
    "deleted-both": (0, "not_attempted", "The exercise's cell had been deleted; it was put back."),
    "edited": (2, "tampered", "is locked and had been edited; the original was put back."),
    "edited-wrong": (0, "tampered", "Twice each value."),
    "points": (2, "tampered", "had its points changed to 100"),
    "duplicated": (2, "ok", "was there 2 times; one was taken"),
    "stripped": (2, "ok", "had lost its nbgrader metadata"),
    "damaged": (2, "tampered", "had its points changed to many"),
    "retyped": (2, "tampered", "is locked and had been turned into a markdown cell"),
    "kernel": (2, "ok", ""),
    "not-json": (0, "unreadable", "00_toy.ipynb is not a notebook: it is not JSON (line 1"),
    "not-a-notebook": (0, "unreadable", "it has no list of cells"),
    "empty": (0, "unreadable", "it is empty"),
    "another-lesson": (0, "unreadable", "none of this lesson's exercises"),
    "misnamed": (2, "ok", ""),
    "two-files": (0, "missing", "expected 00_toy/00_toy.ipynb; found a.ipynb, b.ipynb"),
    "no-folder": (0, "missing", "expected 00_toy/00_toy.ipynb; found nothing"),
    "linked": (0, "unreadable", "is a symbolic link, which is not followed"),
}


@pytest.mark.parametrize("student", EXPECTED)
def test_the_mark_and_its_reason_are_right_for_student(graded, student):
    row = graded[0][student, "00-1-double"]
    score, status, words = EXPECTED[student]
    assert (float(row["score"]), row["status"]) == (score, status), row
    assert float(row["max_score"]) == 2
    assert words in row["message"]


def test_every_student_has_one_row_for_each_exercise(graded):
    students = {student for student, _ in graded[0]}
    assert len(students) == len(EXPECTED) + 1  # "half" is looked at below
    assert len(graded[0]) == 3 * len(students)


def test_a_part_of_the_points_reaches_the_table_and_the_gradebook(graded):
    rows, out = graded
    row = rows["half", "00-2-ladder"]
    assert (row["score"], row["max_score"], row["status"]) == ("2", "3", "failed")
    assert "stands on rung 2 of 3" in row["message"]
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as gradebook:
        assert gradebook.find_grade("check-00-2-ladder", LESSON, LESSON, "half").auto_score == 2


def test_a_kernel_that_dies_costs_only_the_checks_not_yet_run(graded):
    assert graded[0]["killed", "00-2-ladder"]["status"] == "memory"
    assert graded[0]["leaves", "00-2-ladder"]["status"] == "error"
    assert "the kernel ended before the notebook did" in graded[0]["leaves", "00-2-ladder"]["message"]


def test_an_interrupted_cell_costs_only_its_own_exercise(graded):
    assert graded[0]["loops", "00-2-ladder"]["status"] == "ok"


def test_a_free_response_waits_for_a_person_unless_it_was_left_as_it_was(graded):
    answer = graded[0]["right", "00-3-why"]
    assert (answer["score"], answer["status"], answer["message"]) == ("", "ok", "Waits for marking by hand.")
    assert graded[0]["untouched", "00-3-why"]["status"] == "not_attempted"
    assert graded[0]["untouched", "00-3-why"]["score"] == "0"


def test_feedback_and_report_run_no_script_of_a_student(graded):
    _, out = graded
    page = (out / "feedback" / "right" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "<script" not in report
    assert "o&#39;[b]rien &lt;b&gt;" in report
    assert "the file is named homework.ipynb, not 00_toy.ipynb" in report
    assert "stands on rung 2 of 3" in report


def test_every_student_has_a_feedback_page_that_the_report_links_to(graded):
    _, out = graded
    pages = list((out / "feedback").glob(f"*/{LESSON}/{LESSON}.html"))
    assert len(pages) == len(EXPECTED) + 1


def test_the_manifest_says_what_the_marks_depend_on(graded):
    manifest = json.loads((graded[1] / "run.json").read_text())
    assert manifest["dataset"] == "synthetic"
    assert manifest["world_seed"] > 0
    assert {entry["outcome"] for entry in manifest["submissions"]} >= {"ok", "missing", "unreadable", "memory", "error"}
    assert all(len(entry["sha256"]) == 64 for entry in manifest["submissions"] if entry["outcome"] == "ok")


def test_a_folder_that_is_not_a_grading_run_is_left_alone(course, folders):
    submitted, out = folders
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(CourseError, match="is not empty and holds no grading run"):
        run(course, submitted, out)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_an_earlier_run_on_other_data_is_refused_until_regrade_is_asked_for(course, graded, folders):
    submitted, out = folders[0], graded[1]
    with pytest.raises(CourseError, match="holds an earlier run with another data set"):
        grade(course, Plan(submitted, out, "ml-100k"))
    assert json.loads((out / "run.json").read_text())["dataset"] == "synthetic"


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("nowhere", "is no folder"),
        ("bare", "holds no student's folder"),
        ("other", "has a folder named after a lesson"),
    ],
)
def test_a_folder_without_submissions_is_one_clear_line(course, tmp_path, folder, message):
    (tmp_path / "bare").mkdir()
    (tmp_path / "other" / "ada" / "99_else").mkdir(parents=True)
    with pytest.raises(CourseError, match=message):
        run(course, tmp_path / folder, tmp_path / "graded")
    assert not (tmp_path / "graded").exists()


def test_grading_never_imports_torch():
    modules = ["build", "demo", "executed", "grade", "patches", "release", "report", "results", "submissions"]
    code = "import sys\n" + "\n".join(f"import course_utils.grading.{name}" for name in modules)
    code += "\nimport course_utils.running.selfcheck, course_utils.cli\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_data_set_that_a_lesson_has_no_rivals_on_is_refused_before_anything_runs(monkeypatch):
    source = read_source(find_course(Path(__file__).parent).lesson("01_explicit_mf"))
    Examiner(exam_of(source, "synthetic", seed=0))
    monkeypatch.setattr(recorded, "load", lambda: [])
    with pytest.raises(CourseError, match="ladder cannot be graded on synthetic: the ladder has no rivals"):
        Examiner(exam_of(source, "synthetic", seed=0))
