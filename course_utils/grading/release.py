"""What students get: one zip of notebooks, the helper package and how to install it, the same bytes every time.

What lies in templates/bundle/ is filled in and goes along.
"""

from __future__ import annotations

import io
import tempfile
import time
import zipfile
from pathlib import Path

import nbformat
from jinja2 import Environment, PackageLoader, StrictUndefined
from nbgrader.utils import is_grade

from course_utils.checks.verdict import number
from course_utils.errors import CourseError
from course_utils.grading.build import out_of_step, student_files
from course_utils.grading.course import Course, Lesson, write_atomic
from course_utils.grading.student_wheel import EPOCH, build_student_wheel

FOLDER = "recommender-course"
"""The one folder that the zip unpacks to."""


def release(course: Course, lessons: list[Lesson], path: Path) -> None:
    """Write the zip of these lessons to `path`; a file that is there already is replaced in one step.

    Raises CourseError if the student edition is not what its sources say: a lecturer has read, or changed, something
    else than what students would get.
    """
    notebooks = student_files(course, lessons)
    if stale := out_of_step(course, notebooks):
        raise CourseError(
            f"notebooks/ is not in step with solutions/ ({', '.join(stale)}); run `course build` first, which keeps "
            "what somebody has worked in"
        )
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_student_wheel(course, Path(folder))
        files = {wheel.name: wheel.read_bytes()}
    constraints = (course.root / "constraints.txt").read_bytes()
    files |= {"constraints.txt": constraints} | filled_in(
        wheel=wheel.name,
        lessons=[summary(lesson, notebooks[f"{lesson.name}.ipynb"]) for lesson in lessons],
        torch=next(line for line in constraints.decode().splitlines() if line.startswith("torch==")),
    )
    files |= {f"notebooks/{name}": data for name, data in notebooks.items()}
    files["nbgrader_config.py"] = notebooks["nbgrader_config.py"]  # for who starts JupyterLab here, not in notebooks/
    write_atomic(path, zipped({f"{FOLDER}/{name}": data for name, data in files.items()}))


def filled_in(**values: object) -> dict[str, bytes]:
    """Name to content of what the templates come to with these values."""
    environment = Environment(
        loader=PackageLoader("course_utils.grading", "templates/bundle"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    return {name: environment.get_template(name).render(values).encode() for name in environment.list_templates()}


def summary(lesson: Lesson, released: bytes) -> dict:
    """What the bundle's README says of a lesson."""
    cells = nbformat.reads(released.decode(), as_version=4).cells
    return {
        "name": lesson.name,
        "title": cells[0].source.splitlines()[0].strip("# "),
        "points": number(sum(cell.metadata.nbgrader["points"] for cell in cells if is_grade(cell))),
        "dataset": lesson.dataset,
    }


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as a zip that does not depend on when, where and by whom it was made."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, time.gmtime(EPOCH)[:6])
            entry.create_system = 3  # Unix, whose permissions follow: a file that everybody may read
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, files[name])
    return archive.getvalue()
