"""The lessons as they lie in the repository: in step, without answers, and running in a fresh kernel."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from course_utils.grading.build import check_build
from course_utils.grading.course import find_course
from course_utils.grading.runner import Settings, execute
from course_utils.grading.stage import read_source

COURSE = find_course(Path(__file__).parent)
LESSONS = pytest.mark.parametrize("lesson", COURSE.lessons, ids=lambda lesson: lesson.name)
QUICK = {"COURSE_DATASET": "synthetic", "COURSE_BUDGET": "fast", "COURSE_CLAIMS": "strict"}


def run(notebook):
    text, outcome = execute(nbformat.writes(notebook), Settings(environment=QUICK))
    assert outcome.status == "ok"
    return nbformat.reads(text, as_version=4)


def errors(notebook) -> list:
    return [o for cell in notebook.cells for o in cell.get("outputs", []) if o.output_type == "error"]


def student_edition(lesson):
    return nbformat.read(COURSE.notebooks / f"{lesson.name}.ipynb", as_version=4)


def test_everything_that_is_generated_is_in_step_with_its_source():
    assert check_build(COURSE) == []


@LESSONS
def test_the_student_edition_holds_no_line_of_an_answer_that_the_stub_should_hide(lesson):
    """Every line of an answer that is long enough to be its own, against all code of the student edition."""
    regions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", lesson.source.read_text(), flags=re.DOTALL)
    answers = {line.strip() for region in regions for line in region.splitlines() if len(line.strip()) > 25}
    given = {line.strip() for cell in student_edition(lesson).cells for line in cell.source.splitlines()}
    outside = re.sub(r"### BEGIN SOLUTION\n.*?### END SOLUTION", "", lesson.source.read_text(), flags=re.DOTALL)
    shown_on_purpose = {line.strip() for line in outside.splitlines()}
    assert len(answers) > 10
    assert answers & given <= shown_on_purpose


@LESSONS
def test_a_solution_runs_from_top_to_bottom_and_every_check_gives_it_full_points(lesson):
    executed = run(read_source(lesson))
    assert errors(executed) == []
    points = [
        (float(output.data["text/plain"]), cell.metadata.nbgrader["points"])
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if cell.metadata.get("nbgrader", {}).get("grade") and output.output_type == "execute_result"
    ]
    assert len(points) >= 8
    assert all(got == most for got, most in points)
    of_all = sum(most for _, most in points)
    (progress,) = executed.cells[-1].outputs
    assert progress.data["text/plain"].startswith(f"Progress: {of_all:g} of {of_all:g} points")


@LESSONS
def test_running_all_cells_of_the_student_edition_stops_at_the_first_stub_and_says_what_to_do(lesson):
    notebook = student_edition(lesson)
    checks = [n for n, cell in enumerate(notebook.cells) if cell.metadata.get("nbgrader", {}).get("grade")]
    notebook.cells = notebook.cells[: checks[0] + 1]  # Jupyter stops at an error; this run would go on after it
    executed = run(notebook)
    first = next(cell for cell in executed.cells if any(o.output_type == "error" for o in cell.get("outputs", [])))
    assert re.fullmatch(r"check-\d\d-1-.*", first.metadata.nbgrader["grade_id"])
    (error,) = errors(nbformat.v4.new_notebook(cells=[first]))
    assert error.traceback == [f"Stopped here: {error.evalue}"]
    assert "is still to do: in its cell, replace the line `raise NotImplementedError(...)`" in error.evalue


@LESSONS
def test_a_code_cell_has_at_most_twenty_lines_of_code(lesson):
    """Blank lines, comments, docstrings, imports and settings do not count."""
    for cell in read_source(lesson).cells[3:]:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        lines = {line for node in ast.walk(ast.parse(cell.source)) for line in [getattr(node, "lineno", None)] if line}
        statements = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.stmt)]
        docstrings = [n for n in statements if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
        assert len(lines) - len(docstrings) <= 20, cell.source
