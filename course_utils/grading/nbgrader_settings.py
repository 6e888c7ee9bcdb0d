"""nbgrader's settings in one place: for the stock commands (nbgrader_config.py) and for our use of its converters."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from traitlets.config import Config

from course_utils.checks.progress_reading import TEXT_STUB
from course_utils.grading.course import Course

CODE_STUB = 'raise NotImplementedError("Replace this line with your answer, run this cell, then the check below it.")'
CELL_TIMEOUT = 300
"""Seconds that one cell may run."""
STUDENTS_CONFIG = f"""\
# For the Validate button, where `jupyter lab` was started in this folder: a cell may run for {CELL_TIMEOUT} seconds.
get_config().Execute.timeout = {CELL_TIMEOUT}
"""


def shared_settings() -> Config:
    """What holds wherever nbgrader runs: stubs, timeouts, and how submissions are cleaned."""
    put_commands_on_path()
    c = Config()
    c.ClearSolutions.code_stub = {"python": CODE_STUB}
    c.ClearSolutions.text_stub = TEXT_STUB
    c.Execute.timeout = CELL_TIMEOUT
    c.OverwriteCells.add_missing_cells = True
    # nbgrader takes any text on standard error for a failed test; a progress bar or a warning is none.
    c.IgnorePattern.enabled = True
    c.IgnorePattern.pattern = r"(?s).*"
    # A submission's scripts must not run in a feedback page. nbgrader's page ends every markdown cell with
    # strip_files_prefix and leaves out clean_html.
    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = {
        "clean_html": "course_utils.grading.sanitise.harmless_html",
        "strip_files_prefix": "course_utils.grading.sanitise.harmless_markdown",
    }
    return c


def stock_settings(root: Path) -> Config:
    """For the stock commands in the course's root. Stages the lessons' sources where they are missing or outdated."""
    from course_utils.grading.stage import stage_outdated

    course = Course(Path(root).resolve())
    stage_outdated(course)
    c = shared_settings()
    c.CourseDirectory.root = str(course.root)
    c.CourseDirectory.source_directory = ".course/source"
    c.CourseDirectory.release_directory = ".course/release"
    return c


def graded_settings(out: Path) -> Config:
    """For a folder that `course grade` wrote: its own gradebook, and what was submitted as it was cleaned."""
    c = shared_settings()
    c.CourseDirectory.root = str(Path(out).resolve())
    c.CourseDirectory.source_directory = ".work/source"
    c.CourseDirectory.release_directory = ".work/release"
    c.CourseDirectory.submitted_directory = ".work/submitted"
    return c


def put_commands_on_path() -> None:
    """nbgrader calls alembic as a command: it lies beside this Python."""
    folder = str(Path(sys.executable).parent)
    paths = os.environ.get("PATH", "").split(os.pathsep)
    if folder not in paths:
        os.environ["PATH"] = os.pathsep.join([folder, *paths])
