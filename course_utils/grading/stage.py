"""From a lesson's source file to the notebook that nbgrader takes in: the answers still inside, the cells named.

What nbgrader would fail on with a traceback, or let pass in silence, is found here and said with file and line.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from course_utils.errors import CourseError
from course_utils.grading.course import Course, Lesson, write_atomic

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
REQUIRED = ("grade", "grade_id", "locked", "schema_version", "solution", "task")
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read_source(lesson: Lesson) -> NotebookNode:
    """The lesson as a notebook with its answers: fixed cell ids and kernel, no outputs, no pairing.

    Raises CourseError with one line per mistake in the source.
    """
    text = lesson.source.read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="py:percent")
    problems = find_problems(lesson, text, notebook)
    if problems:
        raise CourseError("\n".join(problems))
    notebook.metadata = NotebookNode(kernelspec=KERNELSPEC, language_info=LANGUAGE_INFO)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    counts: dict[str, int] = {}
    for cell in notebook.cells:
        cell.id = cell_id(cell, lesson, counts)
        cell.metadata.pop("lines_to_next_cell", None)
    return notebook


def cell_id(cell: NotebookNode, lesson: Lesson, counts: dict[str, int]) -> str:
    """The grade id where there is one; else the lesson's number, a hash of the source and a running count."""
    if "nbgrader" in cell.metadata:
        return cell.metadata.nbgrader["grade_id"]
    stem = f"{lesson.number}-{hashlib.sha256(cell.source.encode()).hexdigest()[:12]}"
    counts[stem] = counts.get(stem, 0) + 1
    return f"{stem}-{counts[stem]}"


def stage(course: Course, lesson: Lesson, folder: Path | None = None) -> Path:
    """Write the lesson's notebook where nbgrader looks for sources; `folder` is its source folder."""
    path = (folder or course.work / "source") / lesson.name / f"{lesson.name}.ipynb"
    write_atomic(path, nbformat.writes(read_source(lesson)) + "\n")
    return path


def stage_outdated(course: Course) -> None:
    """Stage the lessons whose staged notebook is missing or older than its source."""
    for lesson in course.lessons:
        path = course.work / "source" / lesson.name / f"{lesson.name}.ipynb"
        if not path.exists() or path.stat().st_mtime_ns < lesson.source.stat().st_mtime_ns:
            stage(course, lesson)


def find_problems(lesson: Lesson, text: str, notebook: NotebookNode) -> list[str]:
    """One line per mistake: `solutions/01_x.py:12: what is wrong`."""
    headers = [(n, line) for n, line in enumerate(text.splitlines(), 1) if re.match(r"# ?%%( |$)", line)]
    place = f"{lesson.source.parent.name}/{lesson.source.name}"
    if len(headers) != len(notebook.cells):
        return [f"{place}:1: text stands before the first `# %%` line; put it into a cell"]
    problems: list[str] = []
    seen: dict[str, int] = {}
    for (line, header), cell in zip(headers, notebook.cells, strict=True):
        found = metadata_problem(cell, header, lesson) or marker_problem(cell)
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if not found and grade_id in seen:
            found = f"grade_id {grade_id!r} is taken already, in line {seen[grade_id]}"
        if grade_id:
            seen.setdefault(grade_id, line)
        if found:
            problems.append(f"{place}:{line}: {found}")
    for grade_id, line in seen.items():
        kind, _, rest = str(grade_id).partition("-")
        if kind == "ex" and f"check-{rest}" not in seen:
            problems.append(f"{place}:{line}: exercise {grade_id!r} has no check cell 'check-{rest}'")
        if kind == "check" and f"ex-{rest}" not in seen and f"answer-{rest}" not in seen:
            problems.append(f"{place}:{line}: check cell {grade_id!r} has no exercise 'ex-{rest}' or 'answer-{rest}'")
    return problems


def marker_problem(cell: NotebookNode) -> str:
    """What is wrong with the cell's BEGIN SOLUTION and END SOLUTION lines; empty if nothing."""
    inside = False
    for line in cell.source.splitlines():
        if BEGIN in line:
            if inside:
                return f"{BEGIN} twice without {END} between"
            inside = True
        elif END in line:
            if not inside:
                return f"{END} without {BEGIN}"
            inside = False
    if inside:
        return f"{BEGIN} without {END}"
    solution = cell.metadata.get("nbgrader", {}).get("solution")
    if BEGIN in cell.source and not solution:
        return f'{BEGIN} in a cell that is not marked "solution": true'
    if solution and cell.cell_type == "code" and BEGIN not in cell.source:
        return f"an exercise's cell needs {BEGIN} and {END} around its answer"
    return ""


def metadata_problem(cell: NotebookNode, header: str, lesson: Lesson) -> str:
    """What is wrong with the cell's nbgrader metadata; empty if nothing."""
    if "nbgrader" not in cell.metadata:
        return "the nbgrader={...} in this line is not valid JSON" if "nbgrader" in header else ""
    data = cell.metadata.nbgrader
    missing = [name for name in REQUIRED if name not in data]
    if missing:
        return f"nbgrader metadata lacks {', '.join(missing)}"
    grade, solution, locked, grade_id = data["grade"], data["solution"], data["locked"], str(data["grade_id"])
    if data["schema_version"] != 3 or data["task"]:
        return "nbgrader metadata needs schema_version 3 and task false"
    if not (grade or solution or locked):
        return f"cell {grade_id!r} is neither graded nor a solution nor locked; remove its nbgrader metadata"
    points = data.get("points")
    if grade and (isinstance(points, bool) or not isinstance(points, int | float) or not points > 0):
        return f"graded cell {grade_id!r} needs points above 0"
    kind = {(False, True): "ex", (True, False): "check", (True, True): "answer"}.get((grade, solution), "")
    if not CELL_ID.fullmatch(grade_id):
        return f"grade_id {grade_id!r} may hold letters, digits, - and _ only, 64 at most"
    if kind and not re.fullmatch(rf"{kind}-{lesson.number}-\d+-[a-z0-9-]+", grade_id):
        return f"grade_id {grade_id!r} should read {kind}-{lesson.number}-N-slug"
    if cell.cell_type != ("markdown" if kind == "answer" else "code") and kind:
        return f"cell {grade_id!r} should be a {'markdown' if kind == 'answer' else 'code'} cell"
    if kind == "check" and not locked:
        return f"check cell {grade_id!r} should be locked"
    if kind in ("ex", "answer") and locked:
        return f"cell {grade_id!r} is for the student to write in and cannot be locked"
    return ""
