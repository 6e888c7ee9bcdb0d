"""Marking by hand in a browser, as docs/instructors.md says: JupyterLab in a run's folder, in it the formgrader."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Jupyter, browser_only, jupyter_lab
from graders import COURSE
from toy_course import DOUBLE, LESSON, WRONG, answered, hand_in, read_csv

pytestmark = browser_only

ATTACK = """<script>window.top.attacked = 1</script><img src="x" onerror="window.top.attacked = 1">"""


@pytest.fixture(scope="module", autouse=True)  # before the browser, which lets nobody else have an event loop
def graded(tmp_path_factory, course, student_edition, run) -> Path:
    """A class of two whose free responses nobody has marked yet; the second would like to run something here."""
    folder = tmp_path_factory.mktemp("class")
    hand_in(folder / "submitted", "ada", answered(student_edition, why="It does, *because* it doubles."))
    shown = f"{DOUBLE}\nfrom IPython.display import HTML\nHTML({ATTACK!r})"
    hand_in(folder / "submitted", "bob", answered(student_edition, double=shown, climb=WRONG, why=f"So. {ATTACK}"))
    run(course, folder / "submitted", folder / "graded")
    return folder / "graded"


@pytest.fixture(scope="module")
def jupyter(graded) -> Iterator[Jupyter]:
    with jupyter_lab(graded) as jupyter:
        yield jupyter


@pytest.fixture
def formgrader(tab, jupyter):
    """The list of submissions, reached from JupyterLab's first page: (tab, formgrader's frame)."""
    tab.goto(jupyter.page("lab"))
    tab.locator("#jp-MainMenu").get_by_text("Nbgrader").click()
    tab.locator(".lm-Menu-item").get_by_text("Formgrader", exact=True).click()
    frame = tab.frame_locator(".jp-MainAreaWidget iframe")
    frame.get_by_role("link", name="Manual Grading").click()
    frame.locator("td").get_by_role("link", name=LESSON).click()  # the lesson
    frame.locator("td").get_by_role("link", name=LESSON).click()  # its notebook
    return tab, frame


def test_nobody_reaches_the_marks_without_the_token(tab, jupyter, expect):
    tab.goto(f"{jupyter.url}formgrader/gradebook/{LESSON}/{LESSON}")
    for token, heading in (("wrong", "Token authentication is enabled"), (jupyter.token, "Manual Grading")):
        tab.locator("#password_input").fill(token)
        tab.get_by_role("button", name="Log in", exact=True).click()
        expect(tab.get_by_role("heading", name=heading)).to_be_visible()


def test_points_and_a_comment_given_by_hand_reach_table_and_feedback(formgrader, jupyter, graded, course, expect):
    tab, frame = formgrader
    frame.get_by_role("row", name="5 / 5").get_by_role("link").click()  # without names, in no order
    points = frame.locator("#answer-00-3-why")
    comments = frame.locator("textarea.comment")
    expect(frame.get_by_text("It does, because it doubles.")).to_be_visible()
    with tab.expect_response(lambda answer: "/api/grade/" in answer.url and answer.request.method == "PUT"):
        points.fill("3.5")
        points.press("Tab")
    for place, text in ((-1, "Say *why* it grows."), (0, "A line that I like.")):
        with tab.expect_response(lambda answer: "/api/comment/" in answer.url and answer.request.method == "PUT"):
            comments.nth(place).fill(text)
            comments.nth(place).press("Tab")
    command = [*COURSE, "report", str(graded)]
    subprocess.run(command, cwd=course.root, check=True, capture_output=True)
    row = read_csv(graded)["ada", "00-3-why"]
    assert (row["score"], row["message"]) == ("3.5", "Marked by hand.")
    tab.goto((graded / "feedback" / "ada" / LESSON / f"{LESSON}.html").as_uri())
    expect(tab.get_by_text("Say why it grows.")).to_be_visible()
    expect(tab.get_by_text("A line that I like.")).to_be_visible()
    assert "00-3-why: 3.5 of 4" in (graded / "report.html").read_text(encoding="utf-8")


def test_what_a_student_hands_in_runs_nothing_in_the_formgrader(formgrader, expect):
    tab, frame = formgrader
    frame.get_by_role("row", name="2 / 5").get_by_role("link").click()
    expect(frame.get_by_text("So. <script>")).to_be_visible()
    assert tab.evaluate("window.attacked") is None
