"""`pytest --submission FILE.ipynb`: a student's notebook as one test per check, for any CI that runs pytest.

Loaded with every run of pytest where this package is installed, so nothing but pytest is imported up here.
"""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("course")
    group.addoption(
        "--submission",
        action="append",
        default=[],
        metavar="FILE.ipynb",
        help="run this notebook's checks, one test each; without other arguments, nothing else is collected",
    )


def pytest_configure(config: pytest.Config) -> None:
    files = config.getoption("submission")
    if not files:
        return
    for file in files:
        if not Path(file).is_file():
            raise pytest.UsageError(f"--submission {file}: there is no such file")
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    config.args = [*named, *files]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    wanted = {Path(file).resolve() for file in parent.config.getoption("submission")}
    return SubmittedNotebook.from_parent(parent, path=file_path) if file_path.resolve() in wanted else None


class SubmittedNotebook(pytest.File):
    """A notebook; it is run once, when its first check is."""

    def collect(self):
        from course_utils.errors import CourseError
        from course_utils.running.selfcheck import open_notebook
        from course_utils.running.verdicts import check_cells, exercise_of

        try:
            cells = [cell for _, cell in check_cells(open_notebook(self.path))]
        except CourseError as error:
            raise self.CollectError(str(error)) from error
        names = dict.fromkeys(exercise_of(cell.metadata.nbgrader["grade_id"]) for cell in cells)
        self.verdicts: dict | None = None
        for name in names:
            yield CheckItem.from_parent(self, name=name)

    def verdict(self, name: str):
        """The verdict of one check."""
        from course_utils.running.selfcheck import self_check

        if self.verdicts is None:
            self.verdicts = self_check(self.path).verdicts
        return self.verdicts[name]


class CheckItem(pytest.Item):
    """One check: it passes with full points."""

    def runtest(self) -> None:
        verdict = self.parent.verdict(self.name)
        if verdict.status != "ok":
            raise CheckFailed(str(verdict))

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, f"{self.path.name}: {self.name}"


class CheckFailed(Exception):
    """Carries the verdict's text."""
