"""The student edition: the same bytes every time, no answers, and one clear line for each mistake in a source."""

import os

import nbformat
import pytest
from toy_course import CONFIG, LESSON, SOURCE, answered, make_course

from course_utils.errors import CourseError
from course_utils.grading.build import build, check_build
from course_utils.grading.course import Course, find_course
from course_utils.grading.executed import execute_solution
from course_utils.grading.nbgrader_settings import CODE_STUB, TEXT_STUB
from course_utils.grading.stage import read_source


@pytest.fixture
def course(tmp_path, monkeypatch) -> Course:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site-packages"), prepend=os.pathsep)
    return find_course(make_course(tmp_path))


def snapshot(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_builds_from_nothing_give_the_same_bytes(course):
    build(course)
    first = snapshot(course.notebooks)
    for path in course.notebooks.iterdir():
        path.unlink()
    build(course)
    assert snapshot(course.notebooks) == first
    assert set(first) == {f"{LESSON}.ipynb", f"{LESSON}.py", "nbgrader_config.py"}
    assert build(course) == []


def test_nothing_that_a_student_gets_holds_an_answer_or_the_way_to_one(course):
    build(course)
    for text in (data.decode() for name, data in snapshot(course.notebooks).items() if LESSON in name):
        for secret in ("secret of doubling", "mother of all growth", "BEGIN SOLUTION", "END SOLUTION", "solutions"):
            assert secret not in text
        assert "Replace this line with your answer, run this cell, then the check below it." in text
        assert TEXT_STUB in text


def test_the_student_edition_is_paired_within_its_folder_only_and_valid(course):
    build(course)
    notebook = nbformat.read(course.notebooks / f"{LESSON}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.jupytext.formats == "ipynb,py:percent"
    assert [cell.id for cell in notebook.cells if "nbgrader" in cell.metadata] == [
        cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata
    ]
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert CODE_STUB in notebook.cells[2].source


def test_the_staged_source_keeps_its_cell_ids_from_one_reading_to_the_next(course):
    lesson = course.lesson(LESSON)
    ids = [[cell.id for cell in read_source(lesson).cells] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ids[0])


def test_a_changed_source_and_a_stray_file_are_each_said_and_nothing_is_written(course):
    build(course)
    execute_solution(course.lesson(LESSON), "synthetic")
    assert check_build(course) == []
    (course.notebooks / "09_gone.ipynb").write_text("{}")
    source = course.root / "solutions" / f"{LESSON}.py"
    source.write_text(source.read_text().replace("A toy lesson", "A better toy lesson"))
    before = snapshot(course.notebooks)
    problems = "\n".join(check_build(course))
    assert f"notebooks/{LESSON}.ipynb is out of date" in problems
    assert f"notebooks/{LESSON}.py is out of date" in problems
    assert "notebooks/09_gone.ipynb has no lesson" in problems
    assert f"solutions/{LESSON}.ipynb was executed from another version of its source" in problems
    assert snapshot(course.notebooks) == before
    build(course)
    assert "09_gone.ipynb" not in snapshot(course.notebooks)


def test_a_lesson_is_executed_on_the_data_set_that_its_settings_name(tmp_path):
    folder = make_course(tmp_path)
    lesson = find_course(folder).lesson(LESSON)
    assert lesson.dataset == "ml-100k"
    text = lesson.source.read_text()
    lesson.source.write_text(text + '\n# %%\nDATASET = movielens.default_name("ml-latest-small")  # unless ...\n')
    assert lesson.dataset == "ml-latest-small"
    lesson.source.write_text(text + "\n# %%\nDATASET = movielens.default_name()\n")
    assert lesson.dataset == "ml-100k"


def test_a_missing_executed_pair_is_said(course):
    build(course)
    assert check_build(course) == [f"solutions/{LESSON}.ipynb is missing; run `course build --execute {LESSON}`"]


def test_the_executed_pair_has_outputs_and_no_pairing(course):
    execute_solution(course.lesson(LESSON), "synthetic")
    notebook = nbformat.read(course.root / "solutions" / f"{LESSON}.ipynb", as_version=4)
    assert "jupytext" not in notebook.metadata
    assert "2 of 2 points" in notebook.cells[3].outputs[0].data["text/plain"]


def test_a_solution_that_raises_fails_by_the_name_of_its_cell_and_writes_nothing(course):
    source = course.root / "solutions" / f"{LESSON}.py"
    source.write_text(source.read_text().replace("import toy_checks", "import no_such_checks"))
    with pytest.raises(CourseError, match=r"solutions/00_toy.py, cell 2 .*raised ModuleNotFoundError"):
        execute_solution(course.lesson(LESSON), "synthetic")
    assert not (course.root / "solutions" / f"{LESSON}.ipynb").exists()


def test_a_rebuild_keeps_a_copy_of_a_notebook_that_somebody_has_worked_in(course):
    build(course)
    path = course.notebooks / f"{LESSON}.ipynb"
    mine = nbformat.writes(answered(nbformat.read(path, as_version=4)))
    path.write_text(mine)
    changed = build(course)
    (kept,) = course.notebooks.glob(f"{LESSON}.kept-*.ipynb")
    assert kept in changed  # so that `course build` names it
    assert kept.read_text() == mine
    assert "values + values" not in path.read_text()


MISTAKES = {
    "no end marker": ("    ### END SOLUTION\n\n\n# %% nbgrader", "\n\n# %% nbgrader", "without END SOLUTION", 9),
    "name used twice": ("check-00-2-ladder", "check-00-1-double", "taken already, in line 18", 28),
    "no points": ('"points": 2, ', "", "'check-00-1-double' needs points above 0", 18),
    "no check": ("ex-00-2-ladder", "ex-00-2-ladders", "'ex-00-2-ladders' has no check cell", 21),
    "no exercise": ("check-00-2-ladder", "check-00-4-ladder", "'check-00-4-ladder' has no exercise", 28),
    "misnamed": ("ex-00-1-double", "exercise-double", "'exercise-double' should read ex-00-N-slug", 9),
    "another lesson's number": ("ex-00-1-double", "ex-01-1-double", "should read ex-00-N-slug", 9),
    "old metadata": ('"schema_version": 3, "solution": true', '"solution": true', "lacks schema_version", 9),
    "broken metadata": ('"grade_id": "ex-00-1-double",', '"grade_id": "ex-00-1-double"', "not valid JSON", 9),
    "no markers": ("    ### BEGIN SOLUTION\n    return 3\n    ### END SOLUTION\n", "    return 3\n", "needs BEGIN", 21),
    "markers elsewhere": ("import os\n", "### BEGIN SOLUTION\nimport os\n### END SOLUTION\n", "not marked", 4),
}


@pytest.mark.parametrize(("old", "new", "said", "line"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_a_source_is_one_line_with_file_and_line(tmp_path, old, new, said, line):
    course = find_course(make_course(tmp_path))
    assert old in SOURCE
    (tmp_path / "solutions" / f"{LESSON}.py").write_text(SOURCE.replace(old, new, 1))
    with pytest.raises(CourseError) as caught:
        build(course)
    first = str(caught.value).splitlines()[0]
    assert said in str(caught.value)
    assert first.startswith("solutions/00_toy.py:")
    assert any(text.startswith(f"solutions/00_toy.py:{line}:") for text in str(caught.value).splitlines())
    assert not course.notebooks.exists()


def test_a_lesson_that_names_the_answers_folder_is_refused(tmp_path):
    course = find_course(make_course(tmp_path))
    (tmp_path / "solutions" / f"{LESSON}.py").write_text(
        SOURCE.replace("# # A toy", "# # See solutions/00_toy.py. A toy")
    )
    with pytest.raises(CourseError, match="would hold 'solutions/'"):
        build(course)


def test_a_course_without_lessons_says_what_is_missing(tmp_path):
    course = find_course(make_course(tmp_path))
    (tmp_path / "solutions" / f"{LESSON}.py").unlink()
    with pytest.raises(CourseError, match="holds no lesson"):
        build(course)


def test_outside_a_course_the_error_says_where_to_go(tmp_path):
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    with pytest.raises(CourseError, match="is not inside the course"):
        find_course(tmp_path)
