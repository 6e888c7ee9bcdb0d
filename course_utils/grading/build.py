"""The student edition: notebooks/ made from solutions/ by nbgrader's own generator, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_solution

from course_utils.errors import CourseError
from course_utils.grading.course import LESSON_NAME, Course, Lesson, write_atomic
from course_utils.grading.nbgrader_settings import STUDENTS_CONFIG, shared_settings
from course_utils.grading.stage import read_source, stage

PAIRING = {
    "formats": "ipynb,py:percent",
    # The script must not change with the version of Jupytext that wrote it.
    "notebook_metadata_filter": "kernelspec,jupytext,-jupytext.text_representation.jupytext_version",
}
KEPT = ".kept-"
"""In the names of copies of notebooks that somebody had worked in."""

FORBIDDEN = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "solutions/")
"""What no student's file may hold: a sign that an answer, or a way to it, came along."""

SOURCE_KEY = "course"
"""Metadata of an executed solution: what it was made from."""


def build(course: Course, lessons: Iterable[Lesson] | None = None, out: Path | None = None) -> list[Path]:
    """Write the student edition of the lessons (default: all of them) into `out` (default: notebooks/).

    Returns the files that changed, copies of notebooks that somebody had worked in among them. With all lessons, files
    of lessons that no longer exist are removed.
    """
    chosen = course.lessons if lessons is None else list(lessons)
    if not chosen:
        raise CourseError(f"{course.root / 'solutions'} holds no lesson, a file named NN_slug.py")
    folder = out or course.notebooks
    wanted = student_files(course, chosen)
    changed = [folder / name for name, data in wanted.items() if read_bytes(folder / name) != data]
    stale = stale_files(folder, wanted) if lessons is None else []
    kept = [copy for path in (*changed, *stale) if (copy := keep_answers(path))]
    for path in changed:
        write_atomic(path, wanted[path.name])
    for path in stale:
        path.unlink()
    if out is None:
        for lesson in chosen:
            stage(course, lesson)
        for staged in (course.work / "source").iterdir():
            if staged.name not in {lesson.name for lesson in course.lessons}:
                shutil.rmtree(staged)
    return [*changed, *stale, *kept]


def keep_answers(path: Path) -> Path | None:
    """Copy a notebook of the student edition that somebody has worked in, before it is overwritten."""
    if path.suffix != ".ipynb" or not path.exists():
        return None
    try:
        cells = nbformat.read(path, as_version=4).cells
        touched = any(
            is_solution(cell) and cell.metadata.nbgrader["checksum"] != compute_checksum(cell) for cell in cells
        )
    except Exception:  # not a notebook any more: somebody's, and not ours to judge
        touched = True
    if not touched:
        return None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return Path(shutil.copy2(path, path.with_name(f"{path.stem}{KEPT}{digest}.ipynb")))


def check_build(course: Course) -> list[str]:
    """One line for each file that is not what its source says, nothing written."""
    wanted = student_files(course, course.lessons)
    problems = []
    for name in out_of_step(course, wanted):
        what = "out of date" if (course.notebooks / name).exists() else "missing"
        problems.append(f"notebooks/{name} is {what}; run `course build`")
    for path in stale_files(course.notebooks, wanted):
        problems.append(f"notebooks/{path.name} has no lesson; `course build` removes it")
    for lesson in course.lessons:
        again = f"run `course build --execute {lesson.name}`"
        if not lesson.executed.exists():
            problems.append(f"solutions/{lesson.executed.name} is missing; {again}")
        elif recorded_fingerprint(lesson.executed) != lesson.fingerprint:
            problems.append(
                f"solutions/{lesson.executed.name} was executed from another version of its source; {again}"
            )
    return problems


def out_of_step(course: Course, wanted: dict[str, bytes]) -> list[str]:
    """The names of files of the student edition that are missing or hold something else."""
    return [name for name, data in wanted.items() if read_bytes(course.notebooks / name) != data]


def student_files(course: Course, lessons: list[Lesson]) -> dict[str, bytes]:
    """File name to content of the student edition."""
    files = {"nbgrader_config.py": STUDENTS_CONFIG.encode()}
    for lesson, notebook in release_notebooks(course, lessons).items():
        notebook.metadata["jupytext"] = PAIRING
        pages = {
            f"{lesson.name}.ipynb": nbformat.writes(notebook) + "\n",
            f"{lesson.name}.py": jupytext.writes(notebook, fmt="py:percent"),
        }
        for name, text in pages.items():
            for sign in FORBIDDEN:
                if sign in text:
                    raise CourseError(f"{lesson.source}: the student edition {name} would hold {sign!r}")
            files[name] = text.encode()
    return files


def release_notebooks(course: Course, lessons: list[Lesson]) -> dict[Lesson, NotebookNode]:
    """What nbgrader's generator makes of the lessons, without a gradebook. Raises CourseError with all mistakes."""
    check_sources(course, lessons)
    notebooks = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = shared_settings()
        settings.SaveCells.enabled = False
        settings.GenerateAssignment.no_database = True
        for lesson in lessons:
            stage(course, lesson, Path(folder) / "source")
            released = generate(Path(folder), lesson, settings)
            notebooks[lesson] = nbformat.read(released, as_version=4)
    return notebooks


def check_sources(course: Course, lessons: list[Lesson]) -> None:
    """Read every source, so that all mistakes are said at once, and refuse a name used in two lessons."""
    problems = []
    for lesson in lessons:
        try:
            read_source(lesson)
        except CourseError as error:
            problems.append(str(error))
    numbers = [lesson.number for lesson in course.lessons]
    for lesson in lessons:
        if numbers.count(lesson.number) > 1:
            problems.append(f"{lesson.source}: another lesson has the number {lesson.number}, too")
    if problems:
        raise CourseError("\n".join(problems))


def generate(root: Path, lesson: Lesson, settings) -> Path:
    """Run nbgrader's GenerateAssignment below `root` (source/ to release/); returns the released notebook."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    settings.CourseDirectory.setdefault("root", str(root))
    settings.CourseDirectory.assignment_id = lesson.name
    directory = CourseDirectory(config=settings)
    converter = GenerateAssignment(coursedir=directory, config=settings, force=True)
    converter.log = logging.getLogger("course.nbgrader")
    try:
        converter.start()
    except NbGraderException as error:
        raise CourseError(f"{lesson.source}: nbgrader cannot make an assignment of it: {error}") from error
    return root / directory.release_directory / lesson.name / f"{lesson.name}.ipynb"


def stale_files(folder: Path, wanted: Iterable[str]) -> list[Path]:
    """Files in the student edition's folder that carry a lesson's name but belong to none."""
    if not folder.is_dir():
        return []
    built = [path for path in sorted(folder.iterdir()) if path.suffix in (".ipynb", ".py")]
    return [path for path in built if LESSON_NAME.fullmatch(path.stem) and path.name not in wanted]


def recorded_fingerprint(path: Path) -> str:
    """The fingerprint of the source that an executed solution was made from; empty if it does not say."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["metadata"][SOURCE_KEY]["source_sha256"]
    except (ValueError, KeyError, TypeError):
        return ""


def read_bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
