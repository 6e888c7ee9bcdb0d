"""The one writer: records what workers brought back through nbgrader's own converters, in a folder's gradebook.db."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from html import escape
from pathlib import Path

import jinja2
import nbformat
import nbgrader.api
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from course_utils.checks.verdict import Verdict
from course_utils.errors import CourseError
from course_utils.grading.build import generate
from course_utils.grading.course import Course, Lesson, write_atomic
from course_utils.grading.nbgrader_settings import graded_settings
from course_utils.grading.stage import stage
from course_utils.running.verdicts import check_cells, write_verdict

CONFIG = """\
# Lets the formgrader work on this folder: start `jupyter lab` here.
from pathlib import Path

from course_utils.grading.nbgrader_settings import graded_settings

get_config().merge(graded_settings(Path(__file__).resolve().parent))
"""
FEEDBACK_STYLE = """<style>
table.dataframe td, table.dataframe th { padding: .2em .8em; text-align: right; }
summary { display: list-item; cursor: pointer; }
</style>
"""
"""What nbgrader's page lacks: space between the columns of a table, and the triangle beside a folded hint."""
nbgrader.api.create_engine = functools.cache(nbgrader.api.create_engine)
"""nbgrader opens its gradebook a dozen times a submission; with an engine each, every statement is compiled anew."""

NOT_SHOWN = "The notebook was graded, but holds something that cannot be shown on a page."
NOT_GRADED = '<!doctype html><meta charset="utf-8"><title>{lesson}</title><h1>{lesson}</h1><p>{reason}</p>\n'


@dataclass(frozen=True)
class Mark:
    """One graded cell of one submission, as the gradebook has it; None where no mark was given."""

    auto: float | None
    manual: float | None
    extra: float | None
    most: float
    outdated: bool = False
    """Marked by hand, and the answer has changed since."""

    @property
    def score(self) -> float | None:
        """The mark that counts: by hand before by machine, extra credit added."""
        base = self.manual if self.manual is not None else self.auto
        return None if base is None else base + (self.extra or 0.0)


class OneSubmission:
    """Makes an nbgrader converter take exactly one submission, whatever characters its student's name has."""

    def init_notebooks(self) -> None:
        lesson, student = self.coursedir.assignment_id, self.student
        folder = self._format_source(lesson, student)
        self.assignments = {folder: [str(Path(folder) / f"{lesson}.ipynb")]}
        self.notebooks = []


class AutogradeOne(OneSubmission, Autograde):
    """nbgrader's Autograde for one submission that has run already: `executed` takes the place of its Execute."""

    def __init__(self, student: str, executed: NotebookNode, **kwargs):
        super().__init__(force=True, permissions=644, **kwargs)
        self.student = student
        self.autograde_preprocessors = [
            lambda notebook, resources: (executed, resources),
            LimitOutput,
            SaveAutoGrades,
            AssignLatePenalties,
            CheckCellMetadata,
        ]


class PageExporter(HTMLExporter):
    """nbconvert's exporter, but a template that this process has compiled once is not compiled for every page."""

    def _create_environment(self) -> jinja2.Environment:
        environment = super()._create_environment()
        environment.bytecode_cache = compiled_templates
        return environment


class MemoryCache(jinja2.BytecodeCache):
    """Compiled templates, kept for as long as this process runs."""

    def __init__(self):
        self.templates: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        if bucket.key in self.templates:
            bucket.bytecode_from_string(self.templates[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self.templates[bucket.key] = bucket.bytecode_to_string()


compiled_templates = MemoryCache()


class FeedbackOne(OneSubmission, GenerateFeedback):
    """nbgrader's GenerateFeedback for one submission."""

    exporter_class = PageExporter

    def __init__(self, student: str, **kwargs):
        super().__init__(force=True, **kwargs)
        self.student = student


class Recorder:
    """Writes into the gradebook and the autograded/ and feedback/ folders below `out`."""

    def __init__(self, out: Path):
        self.out = out
        self.released: dict[str, NotebookNode] = {}
        self.log = logging.getLogger("course.nbgrader")
        self.log.propagate = False
        self.log.setLevel(logging.INFO)
        self.log.handlers = [logging.FileHandler(out / ".work" / "nbgrader.log")]
        write_atomic(out / "nbgrader_config.py", CONFIG)

    @property
    def db_url(self) -> str:
        return f"sqlite:///{self.out / 'gradebook.db'}"

    def prepare(self, course: Course, lesson: Lesson) -> None:
        """Make the lesson an assignment of this gradebook."""
        stage(course, lesson, self.out / ".work" / "source")
        try:
            path = generate(self.out, lesson, graded_settings(self.out))
        except CourseError as error:
            if "submissions associated" not in self.log_tail():
                raise
            text = f"{lesson.name} has exercises added or removed since {self.out} was graded; choose another --out"
            raise CourseError(text) from error
        self.released[lesson.name] = nbformat.read(path, as_version=4)

    def log_tail(self) -> str:
        return (self.out / ".work" / "nbgrader.log").read_text(encoding="utf-8")[-4000:]

    def sanitise(self, lesson: str, student: str, notebook: NotebookNode) -> NotebookNode:
        """nbgrader's own clean-up of a submission, before it runs."""
        resources = {"nbgrader": {"assignment": lesson, "notebook": lesson, "student": student, "db_url": self.db_url}}
        settings = graded_settings(self.out)
        for kind in (ClearOutput, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata):
            step = kind(config=settings, log=self.log, enabled=True)
            notebook, resources = step(notebook, resources)
        return notebook

    def record(self, lesson: str, student: str, clean: str, executed: str, verdicts: dict[str, Verdict]) -> None:
        """Record a submission that ran. `clean` and `executed` are the notebook before and after, as JSON."""
        path = self.out / ".work" / "submitted" / student / lesson / f"{lesson}.ipynb"
        before = sources(path.read_text(encoding="utf-8")) if path.exists() else {}
        unchanged = {name for name, source in sources(clean).items() if before.get(name) == source}
        write_atomic(path, clean)
        notebook = nbformat.reads(executed, as_version=4)
        for _, cell in check_cells(notebook):
            write_verdict(cell, verdicts[cell.metadata.nbgrader["grade_id"]])
        self._run(AutogradeOne, lesson, student, executed=notebook)
        with Gradebook(self.db_url) as gradebook:  # nbgrader asks for a second look at every answer marked by hand
            for grade in gradebook.find_submission_notebook(lesson, lesson, student).grades:
                if grade.manual_score is not None and grade.name in unchanged:
                    grade.needs_manual_grade = False
            gradebook.db.commit()
        self.feedback(lesson, student)

    def feedback(self, lesson: str, student: str) -> None:
        """Write the submission's feedback page from the gradebook as it is now."""
        page = self.out / "feedback" / student / lesson / f"{lesson}.html"
        try:
            self._run(FeedbackOne, lesson, student)
        except CourseError:  # whatever an odd text breaks must not stop the others
            write_atomic(page, NOT_GRADED.format(lesson=escape(lesson), reason=NOT_SHOWN))
        write_atomic(page, page.read_text(encoding="utf-8").replace("</head>", f"{FEEDBACK_STYLE}</head>", 1))

    def _run(self, kind: type, lesson: str, student: str, **arguments) -> None:
        settings = graded_settings(self.out)
        settings.CourseDirectory.assignment_id = lesson
        directory = CourseDirectory(config=settings)
        converter = kind(student=student, coursedir=directory, config=settings, log=self.log, **arguments)
        try:
            converter.start()
        except NbGraderException as error:
            log = self.out / ".work" / "nbgrader.log"
            raise CourseError(f"nbgrader could not record {lesson} of {student}; its log is {log}") from error

    def record_nothing(self, lesson: str, student: str, reason: str) -> None:
        """Record a submission that could not run: no points for what machines mark, and a page that says why."""
        with Gradebook(self.db_url) as gradebook:
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission(lesson, student)
            for grade in gradebook.find_submission_notebook(lesson, lesson, student).grades:
                grade.auto_score, grade.needs_manual_grade = 0.0, False
            gradebook.db.commit()
        page = NOT_GRADED.format(lesson=escape(lesson), reason=escape(reason))
        write_atomic(self.out / "feedback" / student / lesson / f"{lesson}.html", page)

    def looked_at(self) -> set[tuple[str, str]]:
        """(student, lesson) of everything that a person has marked, given extra points or commented on."""
        marked, commented = Grade.manual_score.isnot(None) | (Grade.extra_credit != 0), Comment.manual_comment != ""
        with Gradebook(self.db_url) as gradebook:
            names = gradebook.db.query(Student.id, Assignment.name)
            rows = [*with_owners(names, Grade).filter(marked), *with_owners(names, Comment).filter(commented)]
        return {(student, lesson) for student, lesson in rows}

    def marks(self) -> dict[tuple[str, str, str], Mark]:
        """(student, lesson, grade id) to mark, of everything in the gradebook."""
        with Gradebook(self.db_url) as gradebook:
            columns = gradebook.db.query(
                Student.id,
                Assignment.name,
                BaseCell.name,
                Grade.auto_score,
                Grade.manual_score,
                Grade.extra_credit,
                Grade.needs_manual_grade,
            )
            rows = with_owners(columns, Grade).join(BaseCell, Grade.cell_id == BaseCell.id).all()
            most = {
                (cell.notebook.assignment.name, cell.name): cell.max_score
                for notebook in gradebook.db.query(Notebook).all()
                for cell in notebook.grade_cells
            }
        return {
            (student, lesson, name): Mark(
                auto, manual, extra, most[lesson, name], outdated=manual is not None and bool(again)
            )
            for student, lesson, name, auto, manual, extra, again in rows
            if (lesson, name) in most
        }


def with_owners(query, kind: type):
    """A query of grades or comments, joined with the student and the lesson that each belongs to."""
    return (
        query.select_from(kind)
        .join(SubmittedNotebook, kind.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Student, SubmittedAssignment.student_id == Student.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
    )


def sources(notebook_json: str) -> dict[str, str]:
    """Grade id of a graded cell to what the student wrote for it: an exercise's cell, or the cell itself."""
    cells = [cell for cell in nbformat.reads(notebook_json, as_version=4).cells if "nbgrader" in cell.metadata]
    texts = {cell.metadata.nbgrader["grade_id"]: cell.source for cell in cells if "grade_id" in cell.metadata.nbgrader}
    graded = [name for name in texts if name.startswith(("check-", "answer-"))]
    return {name: texts.get(name.replace("check-", "ex-", 1), "") for name in graded}
