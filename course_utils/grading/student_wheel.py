"""The helper package as students get it: a wheel without the rooms of teachers, the same bytes every time."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import tomli_w

from course_utils.errors import CourseError
from course_utils.grading.course import Course

ROOMS_OF_TEACHERS = ("grading", "book")
EPOCH = 1_767_225_600
"""1 January 2026, 0:00 UTC, in seconds: the time that all files of a release bear; JupyterLab shows it."""

BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
"""The standard call to a build backend, for a process of its own. Pip would do no more, and may be absent."""


def build_student_wheel(course: Course, folder: Path) -> Path:
    """Make the wheel in `folder`, which exists. Needs no network; only the installed setuptools.

    Its version ends in a fingerprint of its content, since pip keeps what is installed if the version is the same.
    """
    with tempfile.TemporaryDirectory() as temporary:
        project = Path(temporary)
        copy_package(course.root / "course_utils", project / "course_utils")
        settings = student_settings(tomllib.loads((course.root / "pyproject.toml").read_text(encoding="utf-8")))
        settings["project"]["version"] += f"+student.{fingerprint(project, settings)}"
        (project / "pyproject.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
        built = subprocess.run(
            [sys.executable, "-c", BUILD, str(folder.resolve())],
            cwd=project,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)},
            umask=0o022,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if built.returncode:
            raise CourseError(f"setuptools could not make the students' wheel:\n{built.stderr.strip()}")
    (wheel,) = folder.glob("course_utils-*.whl")
    return wheel


def copy_package(source: Path, target: Path) -> None:
    """Copy a package's files, all of them readable and none executable, without the rooms of teachers."""
    unwanted = {str(source / room) for room in ROOMS_OF_TEACHERS}

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name == "__pycache__" or str(Path(folder, name)) in unwanted]

    shutil.copytree(source, target, ignore=ignored, copy_function=shutil.copyfile)
    for file in target.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)


def student_settings(settings: dict) -> dict:
    """A pyproject.toml's content without what only teachers and developers need. Its `dependencies` are a student's."""
    project = {
        key: value for key, value in settings["project"].items() if key not in ("readme", "optional-dependencies")
    }
    project["entry-points"] = {
        group: kept
        for group, entries in project["entry-points"].items()
        if (kept := {name: place for name, place in entries.items() if not is_of_teachers(place)})
    }
    return {
        "build-system": settings["build-system"],
        "project": project,
        "tool": {"setuptools": settings["tool"]["setuptools"]},
    }


def is_of_teachers(place: str) -> bool:
    """Whether an entry point, `package.module:name`, leads into one of the teachers' rooms."""
    return place.startswith(tuple(f"course_utils.{room}." for room in ROOMS_OF_TEACHERS))


def fingerprint(project: Path, settings: dict) -> str:
    """Eight hexadecimal digits that change with any file of the package and with what it needs."""
    digest = hashlib.sha256(tomli_w.dumps(settings).encode())
    for path in sorted(project.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(project).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:8]
