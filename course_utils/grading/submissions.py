"""What lies in the folder of submissions: for each student and lesson a notebook, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError
from course_utils.grading.course import Lesson

IGNORED = {"__pycache__", ".DS_Store", ".git", ".ipynb_checkpoints"}


@dataclass(frozen=True)
class Submission:
    """One student's work on one lesson.

    path     the notebook to grade; None if there is none
    problem  why there is none, in words for the student
    status   "missing" or "unreadable" where `path` is None
    note     something odd about the file that does not keep it from being graded
    """

    student: str
    lesson: str
    path: Path | None
    problem: str = ""
    status: str = ""
    note: str = ""


def find_submissions(folder: Path, lessons: list[Lesson], all_lessons: bool) -> list[Submission]:
    """Every student's submission to each lesson, students in order of name.

    all_lessons  expect each of `lessons` of everybody; otherwise only those that somebody handed in
    """
    if not folder.is_dir():
        raise CourseError(
            f"{folder} is no folder. Submissions are expected in {folder}/<student>/<lesson>/<lesson>.ipynb"
        )
    students = [path for path in sorted(folder.iterdir()) if is_student(path)]
    if not students:
        raise CourseError(f"{folder} holds no student's folder; expected {folder}/<student>/<lesson>/<lesson>.ipynb")
    expected = [le for le in lessons if all_lessons or any((path / le.name).exists() for path in students)]
    if not expected:
        names = ", ".join(lesson.name for lesson in lessons)
        raise CourseError(f"No student's folder in {folder} has a folder named after a lesson ({names})")
    return [find_one(path, lesson.name) for path in students for lesson in expected]


def not_looked_at(folder: Path) -> list[str]:
    """Names in the folder of submissions that are no student's folder, and so stay without a mark."""
    return [path.name for path in sorted(folder.iterdir()) if not is_student(path) and path.name not in IGNORED]


def is_student(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".") and path.name not in IGNORED


def find_one(student: Path, lesson: str) -> Submission:
    """The submission of one student's folder to one lesson."""
    name, folder = student.name, student / lesson

    def without(status: str, problem: str) -> Submission:
        return Submission(name, lesson, None, problem=problem, status=status)

    if not name.isprintable() or name != name.strip():
        return without("unreadable", f"the folder's name {name!r} holds characters that a gradebook cannot take")
    if student.is_symlink() or folder.is_symlink():
        return without("unreadable", "the folder is a symbolic link, which is not followed")
    if not folder.is_dir():
        return without("missing", f"expected {lesson}/{lesson}.ipynb; found {listing(student)}")
    path = folder / f"{lesson}.ipynb"
    if path.is_symlink():
        return without("unreadable", f"{path.name} is a symbolic link, which is not followed")
    others = [p for p in sorted(folder.glob("*.ipynb")) if p.is_file() and not p.is_symlink() and p != path]
    if path.is_file():
        beside = ", ".join(p.name for p in others)
        return Submission(name, lesson, path, note=f"not looked at, beside the notebook: {beside}" if others else "")
    if path.is_dir():
        return without("unreadable", f"{lesson}/{path.name} is a folder, not a notebook")
    if len(others) == 1:
        return Submission(name, lesson, others[0], note=f"the file is named {others[0].name}, not {lesson}.ipynb")
    return without("missing", f"expected {lesson}/{lesson}.ipynb; found {listing(folder)}")


def listing(folder: Path) -> str:
    """The first names in a folder, for a message."""
    names = [path.name for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    shown = ", ".join(ascii(name)[1:-1] for name in names[:5]) + (", ..." if len(names) > 5 else "")
    return shown or "nothing"
