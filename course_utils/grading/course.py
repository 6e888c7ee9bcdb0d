"""Where the course lies and which lessons it has."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from course_utils.errors import CourseError

LESSON_NAME = re.compile(r"\d\d_[a-z0-9_]+")
OWN_DATASET = re.compile(r"""^DATASET = movielens\.default_name\("([a-z0-9-]+)"\)""", re.MULTILINE)


@dataclass(frozen=True)
class Lesson:
    """One lesson: its name, e.g. "01_explicit_mf", and the file in solutions/ that it is built from."""

    name: str
    source: Path

    @property
    def number(self) -> str:
        """The two digits that its exercises' names start with."""
        return self.name[:2]

    @property
    def executed(self) -> Path:
        """The source's executed pair, for people who only read."""
        return self.source.with_suffix(".ipynb")

    @property
    def dataset(self) -> str:
        """The data set that its text is about: what its settings name, else ml-100k."""
        named = OWN_DATASET.search(self.source.read_text(encoding="utf-8"))
        return named[1] if named else "ml-100k"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the source, in hexadecimal."""
        return hashlib.sha256(self.source.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Course:
    """A folder that holds solutions/ and nbgrader_config.py."""

    root: Path

    @property
    def work(self) -> Path:
        """Where nbgrader's input and output lie; nothing in it is kept under version control."""
        return self.root / ".course"

    @property
    def notebooks(self) -> Path:
        """The student edition."""
        return self.root / "notebooks"

    @property
    def submissions(self) -> Path:
        """Known submissions, as small patches."""
        return self.root / "tests" / "submissions"

    @property
    def lessons(self) -> list[Lesson]:
        """The lessons in order. A .py file in solutions/ that is not named NN_slug.py is an error."""
        paths = sorted((self.root / "solutions").glob("*.py"))
        for path in paths:
            if not LESSON_NAME.fullmatch(path.stem):
                raise CourseError(f"{path}: a lesson's file is named NN_slug.py, e.g. 01_explicit_mf.py")
        return [Lesson(path.stem, path) for path in paths]

    def lesson(self, name: str) -> Lesson:
        """The lesson of that name; the name of one of its files will do, too."""
        wanted = Path(name).stem
        for lesson in self.lessons:
            if lesson.name == wanted:
                return lesson
        names = ", ".join(lesson.name for lesson in self.lessons) or "none"
        raise CourseError(f"There is no lesson {wanted!r}. The lessons here are: {names}.")


def find_course(start: Path | None = None) -> Course:
    """The course that `start` (default: the current folder) lies in: the nearest folder upwards that is one."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "solutions").is_dir() and (folder / "nbgrader_config.py").is_file():
            return Course(folder)
    raise CourseError(
        f"{start} is not inside the course: no folder from here upwards holds solutions/ and nbgrader_config.py. "
        "Change into your copy of the course first."
    )


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write a file under a temporary name, then rename it: a reader sees the old file or the new one, never half.

    Halves of characters, which a file's name or a student's text may hold and no file can, become question marks.
    """
    data = data.encode("utf-8", "replace") if isinstance(data, str) else data
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
