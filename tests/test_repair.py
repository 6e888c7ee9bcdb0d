"""Mending a submission's frame, on a lesson's own student edition."""

import copy
from pathlib import Path

import nbformat
import pytest

from course_utils.grading.repair import repair

RELEASED = nbformat.read(Path(__file__).parent.parent / "notebooks" / "00_ratings.ipynb", as_version=4)
ANSWER = "answer-00-10-which-split"


def grade_id(cell) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def without(*indices: int):
    notebook = copy.deepcopy(RELEASED)
    notebook.cells = [cell for index, cell in enumerate(notebook.cells) if index not in indices]
    return notebook


def place(name: str) -> int:
    return next(index for index, cell in enumerate(RELEASED.cells) if grade_id(cell) == name)


def sources(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells]


def test_an_untouched_notebook_is_left_as_it_is():
    repaired = repair(copy.deepcopy(RELEASED), RELEASED)
    assert sources(repaired.notebook) == sources(RELEASED)
    assert not repaired.tampered
    assert not any(repaired.notes.values())


def test_a_deleted_free_response_is_put_back_and_the_next_text_is_not_taken_for_it():
    repaired = repair(without(place(ANSWER)), RELEASED)
    assert sources(repaired.notebook) == sources(RELEASED)
    assert repaired.notes[ANSWER] == ["the answer's cell had been deleted; it was put back"]


def test_a_free_response_without_its_metadata_is_found_by_its_place():
    notebook = copy.deepcopy(RELEASED)
    cell = notebook.cells[place(ANSWER)]
    cell.source, cell.metadata, cell.id = "Ada splits by time.", {}, "abc"
    repaired = repair(notebook, RELEASED)
    assert repaired.notebook.cells[place(ANSWER)].source == "Ada splits by time."
    assert grade_id(repaired.notebook.cells[place(ANSWER)]) == ANSWER


@pytest.mark.parametrize("which", [0, 1], ids=["imports", "settings"])
def test_deleted_imports_or_settings_are_put_back_where_they_were(which):
    code = [index for index, cell in enumerate(RELEASED.cells) if cell.cell_type == "code"]
    repaired = repair(without(code[which]), RELEASED)
    assert sources(repaired.notebook) == sources(RELEASED)
    assert repaired.notes[""] == ["the cell of imports or of settings had been deleted or changed; it was put back"]


def test_imports_that_a_student_has_added_to_are_kept():
    notebook = copy.deepcopy(RELEASED)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.source += "\nimport math"
    repaired = repair(notebook, RELEASED)
    assert sources(repaired.notebook) == sources(notebook)
