"""The book's sources, gathered into one folder, and Sphinx, run on them.

book/ holds the settings and the pages that were written for the book. The rest is taken from where it is kept: lessons
from solutions/, guides from docs/, the map of lessons from README.md, the reference from the docstrings. A source is
written only if its content has changed, so that Sphinx reads nothing twice.
"""

from __future__ import annotations

import io
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat

import course_utils
from course_utils.book.pages import fact, lesson_page, read_executed, sources, title
from course_utils.errors import CourseError
from course_utils.grading.course import Course, write_atomic

NOT_PUBLIC = {"book", "cli", "command", "errors", "grading", "original", "running"}
"""Modules that a lesson does not import."""


@dataclass(frozen=True)
class Built:
    """What a build has made: the page to open first, and what Sphinx had to complain about, a line each."""

    index: Path
    warnings: list[str]


def build(course: Course, out: Path | None = None, progress: Callable[[str], object] = lambda page: None) -> Built:
    """Build the book below `out` (default: book/_build); `progress` is told the name of each page that is read.

    Raises CourseError if Sphinx is missing, or a lesson lacks something that the book is made of.
    """
    try:
        from sphinx.application import Sphinx
    except ImportError as error:
        raise CourseError(f"The book needs the extra [book]: pip install -e '.[book]' ({error})") from None
    folder = (out or course.root / "book" / "_build").resolve()
    gather(course, folder / "source")
    complaints = io.StringIO()
    app = Sphinx(
        srcdir=folder / "source",
        confdir=course.root / "book",
        outdir=folder / "html",
        doctreedir=folder / "doctrees",
        buildername="html",
        status=None,
        warning=complaints,
    )
    app.connect("source-read", lambda app, page, text: progress(page))
    app.build()
    return Built(folder / "html" / "index.html", complaints.getvalue().splitlines())


def gather(course: Course, folder: Path) -> None:
    """Bring `folder` to what `contents` says: write what has changed, remove what is not wanted any more."""
    wanted = contents(course)
    for name, data in wanted.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != data:
            write_atomic(path, data)
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()


def contents(course: Course) -> dict[str, bytes]:
    """Every source of the book: its path below the sources' folder, and its content."""
    book = course.root / "book"
    files = {path.name: path.read_bytes() for path in book.glob("*.md")}
    for path in (course.root / "docs").rglob("*"):
        if path.is_file():
            files[f"docs/{path.relative_to(course.root / 'docs').as_posix()}"] = path.read_bytes()
    readme = (course.root / "README.md").read_text(encoding="utf-8")
    abilities, needs, references = [], [], []
    for lesson in course.lessons:
        executed = read_executed(lesson)
        files[f"lessons/{lesson.name}.ipynb"] = nbformat.writes(lesson_page(executed, lesson)).encode()
        link = f"[{lesson.number} {title(executed)}](/lessons/{lesson.name}.ipynb)"
        abilities.append(f"**{link}**\n\n{fact(executed, 'Afterwards you can', lesson)}")
        needs.append(f"- {link}: {' '.join(fact(executed, 'You need', lesson).split())}")
        references.append("\n".join([f"## {link}\n", *(f"- {work}" for work in sources(executed, lesson))]))
    texts = {
        "generated/map.md": lesson_table(readme),
        "generated/readme.md": readme,
        "generated/abilities.md": "\n\n".join(abilities),
        "generated/needs.md": "\n".join(needs),
        "generated/references.md": "\n\n".join(references),
        **api_pages({lesson.name[3:] for lesson in course.lessons}),
    }
    return files | {name: text.encode() for name, text in texts.items()}


def lesson_table(readme: str) -> str:
    """The README's table of lessons, its links leading to the book's pages. Raises CourseError if there is none."""
    found = re.search(r"^\| lesson \|.*?(?=\n\n)", readme, re.DOTALL | re.MULTILINE)
    if not found:
        raise CourseError("README.md has no table of lessons, one that begins with `| lesson |`")
    return re.sub(r"\(solutions/(\w+\.ipynb)\)", r"(/lessons/\1)", found[0])


def api_pages(lessons: set[str]) -> dict[str, str]:
    """One page for each module of the helper package, its submodules on it. `lessons` are the slugs of lessons, whose
    checks are not shown."""
    hidden = NOT_PUBLIC | lessons
    pages: dict[str, list[str]] = {}
    for module in pkgutil.walk_packages(course_utils.__path__, f"{course_utils.__name__}."):
        parts = module.name.split(".")[1:]
        if hidden.isdisjoint(parts):
            members = "" if module.ispkg else "   :members:\n"
            name = ".".join(parts)
            line = ("=" if len(parts) == 1 else "-") * len(name)
            section = f"{name}\n{line}\n\n.. automodule:: {module.name}\n{members}"
            pages.setdefault(parts[0], []).append(section)
    return {f"api/{name}.rst": "\n".join(sections) for name, sections in pages.items()}
