"""The student edition in JupyterLab, as `make lab` opens it, and worked in by mouse and keyboard."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
import pytest
from browsing import Jupyter, browser_only, jupyter_lab
from toy_course import CLIMB, WRONG, answered

from course_utils.grading.course import find_course

pytestmark = browser_only

RATINGS = "00_ratings.ipynb"
TOY = "toy.ipynb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, student_edition) -> Path:
    """The first lesson and the settings beside it, as they are handed out; and the toy lesson, half right."""
    folder = tmp_path_factory.mktemp("notebooks")
    handed_out = find_course(Path(__file__).parent).notebooks
    for name in (RATINGS, "00_ratings.py", "nbgrader_config.py"):
        shutil.copy(handed_out / name, folder)
    half = answered(student_edition, double=WRONG, climb="def climb():\n    return 2", why="Because.")
    nbformat.write(half, folder / TOY)
    return folder


@pytest.fixture(scope="module")
def lab(folder) -> Iterator[Jupyter]:
    with jupyter_lab(folder, COURSE_DATASET="synthetic") as lab:
        yield lab


@pytest.fixture
def opened(tab, lab, expect):
    """Open a notebook by a double click in the list of files, and wait for its kernel; returns the tab."""

    def opened(name: str):
        tab.goto(lab.page("lab"))
        tab.locator(".jp-DirListing-item", has_text=name).dblclick()
        expect(tab.locator("#jp-main-statusbar")).to_contain_text("| Idle")
        return tab

    return opened


def cell_that_starts(tab, text: str):
    code = tab.locator(".cm-content", has_text=re.compile(rf"^\s*{re.escape(text)}"))
    return tab.locator(".jp-CodeCell", has=code)


def run(tab, expect, *starts: str) -> None:
    """Click into each code cell that starts so, and press Shift+Enter; the last one's outputs are there afterwards."""
    for start in starts:
        cell_that_starts(tab, start).locator(".cm-content").click()
        tab.keyboard.press("Shift+Enter")
        expect(cell_that_starts(tab, start).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))


def replace_line(tab, start: str, line: str, by: str) -> None:
    """In the code cell that starts so, put the cursor into the line that holds a text, and type another line."""
    cell_that_starts(tab, start).locator(".cm-line", has_text=line).click()
    tab.keyboard.press("End")
    tab.keyboard.press("Shift+Home")
    tab.keyboard.type(by)


def validate(tab, expect) -> str:
    """What nbgrader's Validate says about the notebook as it is now."""
    tab.get_by_role("button", name="Validate").click()
    dialog = tab.get_by_role("dialog")
    expect(dialog).to_contain_text("Validation Results")
    said = dialog.inner_text()
    dialog.get_by_role("button", name="Ok").click()
    expect(dialog).to_be_hidden()
    return said


def test_a_card_turns_from_to_do_over_a_hint_to_passed_as_a_student_types(opened, expect, folder):
    before = nbformat.read(folder / RATINGS, as_version=4)
    tab = opened(RATINGS)
    check = cell_that_starts(tab, "check.density")
    run(tab, expect, "import matplotlib", "def density", "check.density")
    expect(check).to_contain_text("density: 0 of 1 point")
    expect(check).to_contain_text("Stopped here: density is still to do")
    replace_line(tab, "def density", "raise NotImplementedError", "return len(ratings) / ratings['item_id'].max()")
    run(tab, expect, "def density", "check.density")
    expect(check).to_contain_text("Hint. Divide the number of ratings by the number of cells")
    replace_line(
        tab,
        "def density",
        "return len",
        "return len(ratings) / ratings['user_id'].nunique() / ratings['item_id'].nunique()",
    )
    run(tab, expect, "def density", "check.density")
    expect(check).to_contain_text("density: 1 of 1 point")
    said = validate(tab, expect)
    assert "check.density" not in said
    assert "check.head_share(head_share)\n○ head_share: 0 of 1 point" in said
    assert "*Replace this line with your answer.*\nYou did not provide a response." in said
    assert tab.locator(".jp-Dialog, .Toastify__toast").all_inner_texts() == []  # nobody was asked or warned
    assert tab.complaints == []

    saved = nbformat.read(folder / RATINGS, as_version=4)
    assert [cell.metadata.get("nbgrader") for cell in saved.cells] == [
        cell.metadata.get("nbgrader") for cell in before.cells
    ]
    text = jupytext.read(folder / "00_ratings.py")
    assert [cell.source for cell in text.cells] == [cell.source for cell in saved.cells]
    tab.reload()
    expect(check).to_contain_text("density: 1 of 1 point")
    expect(check.locator(".jp-OutputArea-output div[style]").first).to_have_css("border-left-width", "5px")  # trusted


def test_validate_shows_what_the_checks_say_until_all_is_right(opened, expect):
    tab = opened(TOY)
    said = validate(tab, expect)
    for words in (
        "✗ double: 0 of 2 points\n  Called:    double(values)",
        "Twice each value.",
        "◐ ladder: 2 of 3 points",
    ):
        assert words in said
    assert "Partial credit" not in said
    assert max(map(len, said.splitlines())) <= 80
    replace_line(tab, "def double", "return values", "return values + values")
    replace_line(tab, "def climb", "return 2", CLIMB.splitlines()[1].strip())
    assert "Success! Your notebook passes all the tests." in validate(tab, expect)
    assert tab.complaints == []
