"""A class to try the grading on: the known submissions of one lesson, and the odd files that students send, too."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_utils.errors import CourseError
from course_utils.grading.build import release_notebooks
from course_utils.grading.course import Course, Lesson, write_atomic
from course_utils.grading.patches import Patch, apply_patch, read_patches
from course_utils.grading.stage import read_source
from course_utils.running.verdicts import check_cells

LESSON = "01_explicit_mf"


def make_class(course: Course, folder: Path, lesson_name: str = LESSON) -> int:
    """Write submitted/ below `folder`; returns the number of students. An earlier demo in the folder is replaced."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "submitted").is_dir():
        raise CourseError(f"{folder} is not empty and holds no earlier demo; choose another --out")
    for name in ("submitted", "graded"):
        shutil.rmtree(folder / name, ignore_errors=True)
    lesson = course.lesson(lesson_name)
    student = release_notebooks(course, [lesson])[lesson]
    reference = read_source(lesson)
    patches = read_patches(course.submissions / lesson.name)
    if not patches:
        raise CourseError(f"{course.submissions / lesson.name} holds no known submissions to make a class of")
    for patch in patches:
        hand_in(folder, patch.name.replace("_", "-"), lesson, apply_patch(patch, student, reference))
    whole = apply_patch(Patch("whole", lesson.name), student, reference)
    for name, change in ODD_STUDENTS.items():
        change(folder, name, lesson, copy.deepcopy(whole))
    return len(patches) + len(ODD_STUDENTS)


def hand_in(folder: Path, student: str, lesson: Lesson, notebook: NotebookNode, file: str = "") -> None:
    path = folder / "submitted" / student / lesson.name / (file or f"{lesson.name}.ipynb")
    write_atomic(path, nbformat.writes(notebook) + "\n")


def first_check(notebook: NotebookNode) -> int:
    return check_cells(notebook)[0][0]


def not_json(folder: Path, student: str, lesson: Lesson, notebook: NotebookNode) -> None:
    text = nbformat.writes(notebook)
    write_atomic(folder / "submitted" / student / lesson.name / f"{lesson.name}.ipynb", text[: len(text) // 2])


def check_deleted(folder: Path, student: str, lesson: Lesson, notebook: NotebookNode) -> None:
    del notebook.cells[first_check(notebook)]
    hand_in(folder, student, lesson, notebook)


def check_edited(folder: Path, student: str, lesson: Lesson, notebook: NotebookNode) -> None:
    cell = notebook.cells[first_check(notebook)]
    cell.source, cell.metadata.nbgrader["points"] = str(cell.metadata.nbgrader["points"]), 100
    hand_in(folder, student, lesson, notebook)


def cells_duplicated(folder: Path, student: str, lesson: Lesson, notebook: NotebookNode) -> None:
    place = first_check(notebook)
    copies = copy.deepcopy(notebook.cells[place - 1 : place + 1])
    for cell in copies:
        cell.id = f"{cell.id}-copy"[-64:]
    notebook.cells[place + 1 : place + 1] = copies
    hand_in(folder, student, lesson, notebook)


def file_misnamed(folder: Path, student: str, lesson: Lesson, notebook: NotebookNode) -> None:
    hand_in(folder, student, lesson, notebook, "homework (final).ipynb")


def nothing_sent(folder: Path, student: str, lesson: Lesson, notebook: NotebookNode) -> None:
    (folder / "submitted" / student).mkdir(parents=True)


ODD_STUDENTS: dict[str, Callable[[Path, str, Lesson, NotebookNode], None]] = {
    "odd-not-json": not_json,
    "odd-check-deleted": check_deleted,
    "odd-check-edited": check_edited,
    "odd-cells-duplicated": cells_duplicated,
    "odd-file-misnamed": file_misnamed,
    "odd-nothing-sent": nothing_sent,
}
"""Student to the way in which the right answers are spoiled."""
