"""Reading what was handed in: what a grader has a use for is kept, and the rest cannot cost it much."""

import json

import nbformat
import pytest

from course_utils.grading.sanitise import keep_what_can_be_shown
from course_utils.running.reading import Unreadable, parse_notebook


def cell(source: str = "", **parts) -> dict:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **parts}


def read(*cells: dict):
    return parse_notebook(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}).encode(), "x.ipynb")


def test_outputs_and_metadata_but_nbgraders_are_dropped():
    own = {"nbgrader": {"grade_id": "ex-00-1-a", "points": [1], "locked": False}, "tags": ["x"]}
    (kept,) = read(cell("a = 1", metadata=own, outputs=[{"output_type": "stream"}])).cells
    assert (kept.source, kept.outputs) == ("a = 1", [])
    assert kept.metadata == {"nbgrader": {"grade_id": "ex-00-1-a", "locked": False}}


def test_half_a_character_becomes_a_question_mark_and_a_whole_one_stays():
    assert read(cell("# \ud83d and \U0001f600")).cells[0].source == "# ? and \U0001f600"


def test_pictures_stay_attached_and_other_things_do_not():
    pictures = {"a.png": {"image/png": "QQ=="}, "b": {"text/html": "x"}, "c": 5}
    (kept,) = read({"cell_type": "markdown", "source": "", "attachments": pictures}).cells
    assert kept.attachments == {"a.png": {"image/png": "QQ=="}}


def test_ids_are_made_where_they_are_missing_twice_there_or_no_ids():
    assert [one.id for one in read(cell(id="a"), cell(id="a"), cell(id="b c"), cell()).cells] == [
        "a",
        "cell-1",
        "cell-2",
        "cell-3",
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('{"cells": [' + "{}," * 3000 + "{}]}", "3,001 cells, more than the 2,000"),
        ('{"cells": [' + "[]," * 3_100_000 + "[]]}", "parts, more than the 3,000,000"),
        (json.dumps({"cells": [cell("x" * 11_000_000)]}), "letters in its cells, more than the 10,000,000"),
        ('{"cells": [], "nbformat": ' + "9" * 5000 + "}", "a number that is too long"),
    ],
    ids=["cells", "parts", "letters", "digits"],
)
def test_what_costs_a_reader_too_much_is_refused(data, words):
    with pytest.raises(Unreadable, match=words):
        parse_notebook(data.encode(), "x.ipynb")


def test_of_metadata_of_outputs_only_sizes_of_pictures_are_kept():
    sizes = {"width": 5, "height": "1 onerror=alert(1)", "alt": "x"}
    data = {"image/png": "QQ==", "text/plain": "x", "application/javascript": "alert(1)"}
    output = {"output_type": "display_data", "data": data, "metadata": {"image/png": sizes, "filenames": {}}}
    notebook = nbformat.from_dict({"cells": [cell(outputs=[output])], "metadata": {}})
    keep_what_can_be_shown(notebook)
    (shown,) = notebook.cells[0].outputs
    assert set(shown.data) == {"image/png", "text/plain"}
    assert shown.metadata == {"image/png": {"width": 5}, "text/plain": {}}


def test_a_picture_that_is_not_attached_is_not_looked_for():
    text = {"cell_type": "markdown", "source": "![](attachment:a.png) ![](attachment:b.png)", "metadata": {}}
    notebook = nbformat.from_dict({"cells": [{**text, "attachments": {"a.png": {"image/png": "QQ=="}}}]})
    keep_what_can_be_shown(notebook)
    assert notebook.cells[0].source == "![](attachment:a.png) ![](missing:b.png)"
