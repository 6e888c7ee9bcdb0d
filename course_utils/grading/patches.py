"""Known submissions: small patches to a lesson, with the marks that they must get.

A patch is a percent script. Its first comment says who hands this in; `# rest: reference` or `# rest: stub` says what
the cells that it does not give hold. A cell's title is the grade id of the cell it replaces, and a line
`# expect: 0 failed "square root"` gives points, status, and words that the message must contain.
"""

from __future__ import annotations

import copy
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from course_utils.errors import CourseError
from course_utils.running.verdicts import check_cells, exercise_of

HEADER = re.compile(r"# %% *(\[markdown\])? *(?P<grade_id>[a-z]+-\d\d-\d+-[a-z0-9-]+)\s*$")
REST = re.compile(r"# rest: *(reference|stub)\s*$")
EXPECT = re.compile(r"# expect: *(.+)$")


@dataclass(frozen=True)
class Expectation:
    """The mark that an exercise must get: points, status, and words that the message contains."""

    points: float
    status: str
    words: tuple[str, ...] = ()


@dataclass
class Patch:
    """One known submission.

    name          the file's name without its ending
    description   who hands this in, in a sentence
    rest          "reference" or "stub": what the cells not given hold
    sources       grade id to source
    expectations  exercise, e.g. "01-1-rmse", to its mark
    """

    name: str
    lesson: str
    description: str = ""
    rest: str = "reference"
    sources: dict[str, str] = field(default_factory=dict)
    expectations: dict[str, Expectation] = field(default_factory=dict)


def read_patch(path: Path) -> Patch:
    """The patch in tests/submissions/<lesson>/<name>.py. Raises CourseError naming file and line."""
    patch = Patch(path.stem, path.parent.name)
    grade_id, lines, comment = "", [], []

    def close_cell() -> None:
        if grade_id:
            patch.sources[grade_id] = (
                uncomment(lines) if grade_id.startswith("answer-") else "\n".join(lines).strip("\n")
            )

    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("# %%"):
            close_cell()
            header = HEADER.match(line)
            if not header or header["grade_id"] in patch.sources:
                raise CourseError(f"{path}:{number}: a cell's header reads `# %% ex-NN-N-slug`, each cell once")
            grade_id, lines = header["grade_id"], []
        elif match := EXPECT.match(line):
            try:
                points, status, *words = shlex.split(match[1])
                patch.expectations[exercise_of(grade_id)] = Expectation(float(points), status, tuple(words))
            except ValueError as error:
                raise CourseError(
                    f'{path}:{number}: expected `# expect: POINTS STATUS "words"` inside a cell'
                ) from error
        elif grade_id:
            lines.append(line)
        elif match := REST.match(line):
            patch.rest = match[1]
        elif line.startswith("#"):
            comment.append(line.lstrip("# "))
    close_cell()
    patch.description = " ".join(comment)
    return patch


def uncomment(lines: list[str]) -> str:
    """A markdown cell's text."""
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines).strip()


def read_patches(folder: Path) -> list[Patch]:
    """All patches of one lesson, by name."""
    return [read_patch(path) for path in sorted(folder.glob("*.py"))]


def apply_patch(patch: Patch, student: NotebookNode, reference: NotebookNode) -> NotebookNode:
    """The notebook that is handed in.

    student    the lesson's student edition
    reference  the same lesson with its answers, as `stage.read_source` gives it
    """
    answers = {grade_id_of(cell): cell.source for cell in reference.cells if is_solution(cell)}
    notebook = copy.deepcopy(student)
    unknown = set(patch.sources) - {grade_id_of(cell) for cell in notebook.cells}
    if unknown:
        raise CourseError(f"{patch.lesson}/{patch.name}.py: {patch.lesson} has no cell {', '.join(sorted(unknown))}")
    for cell in notebook.cells:
        grade_id = grade_id_of(cell)
        if grade_id in patch.sources:
            cell.source = patch.sources[grade_id]
        elif is_solution(cell) and patch.rest == "reference":
            cell.source = without_markers(answers[grade_id])
    return notebook


def expected_marks(patch: Patch, student: NotebookNode) -> dict[str, Expectation]:
    """Exercise to the mark it must get, for every exercise that a machine marks.

    One that the patch says nothing about gets full points if the rest is the reference, else it is not attempted.
    """
    marks = {}
    for _, cell in check_cells(student):
        exercise = exercise_of(grade_id_of(cell))
        full = Expectation(float(cell.metadata.nbgrader["points"]), "ok")
        rest = full if patch.rest == "reference" else Expectation(0.0, "not_attempted")
        marks[exercise] = patch.expectations.get(exercise, rest)
    return marks


def hand_marked(student: NotebookNode) -> list[str]:
    """The exercises that a person marks."""
    return [exercise_of(grade_id_of(cell)) for cell in student.cells if is_grade(cell) and is_solution(cell)]


def grade_id_of(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def without_markers(source: str) -> str:
    return "\n".join(
        line for line in source.splitlines() if "BEGIN SOLUTION" not in line and "END SOLUTION" not in line
    )
