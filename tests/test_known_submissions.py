"""Every known submission, through real nbgrader and a kernel in a real sandbox, gets the mark that its file says."""

import csv
import os
import shutil
from pathlib import Path

import nbformat
import pytest

from course_utils.grading.build import release_notebooks
from course_utils.grading.course import find_course
from course_utils.grading.grade import Plan, grade
from course_utils.grading.patches import apply_patch, expected_marks, hand_marked, read_patches
from course_utils.grading.report import refresh
from course_utils.grading.stage import read_source

COURSE = find_course(Path(__file__).parent)
DATASET = "ml-100k" if os.environ.get("COURSE_DATA_DIR") else "synthetic"


@pytest.mark.parametrize("lesson", COURSE.lessons, ids=lambda lesson: lesson.name)
def test_known_submissions_get_the_marks_that_their_files_say(lesson, tmp_path):
    sandboxed = shutil.which("bwrap") is not None  # their marks do not depend on it
    student = release_notebooks(COURSE, [lesson])[lesson]
    patches = {patch.name: patch for patch in read_patches(COURSE.submissions / lesson.name)}
    assert len(patches) >= 6
    for name, patch in patches.items():
        path = tmp_path / "submitted" / name / lesson.name / f"{lesson.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(apply_patch(patch, student, read_source(lesson)), path)
    refresh(grade(COURSE, Plan(tmp_path / "submitted", tmp_path / "graded", DATASET, [lesson], 2, sandboxed=sandboxed)))
    with (tmp_path / "graded" / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}
    wrong = []
    for name, patch in patches.items():
        for exercise, mark in expected_marks(patch, student).items():
            row = rows.pop((name, exercise))
            got = (float(row["score"]), row["status"])
            if got != (mark.points, mark.status) or not all(words in row["message"] for words in mark.words):
                wrong.append(f"{name}, {exercise}: expected {mark}, got {got}: {row['message']}")
    assert not wrong, "\n".join(wrong)
    assert {exercise for _, exercise in rows} == set(hand_marked(student))
