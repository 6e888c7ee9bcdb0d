"""Progress is what checks have said about answers as they are now: nothing is claimed that is not there."""

import copy
import json
import os
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, replace

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from toy_course import answered, place

from course_utils.checks.framework import WORLDS_VARIABLE, latest
from course_utils.checks.live import CaughtErrors
from course_utils.checks.progress import progress
from course_utils.checks.progress_card import as_html, as_text, next_step
from course_utils.checks.progress_reading import Exercise, Lesson, read_lessons
from course_utils.checks.standing import Mark, Standing
from course_utils.checks.verdict import VERDICT_MIME

RMSE = Standing("RMSE", False, 0.93, (Mark("the mean", 1.1, 1), Mark("biases", 0.95, 2), Mark("tuned", 0.91, 1)))

INTERRUPTED = "import os, signal\ndef double(values):\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(9)"
WITH_A_BAR = """
import sys, time
from tqdm import tqdm
def climb():
    for _ in tqdm(range(6), leave=False):
        time.sleep(0.25)
    print("a warning", file=sys.stderr)
    return 2"""
ON_MISSING_DATA = """
from course_utils.checks import explicit_mf
from pathlib import Path
Path("data/ml-100k").mkdir(parents=True)
os.environ |= {"COURSE_DATA_DIR": "data", "COURSE_DATASET": "ml-100k"}
explicit_mf.ladder(climb)"""


def states(folder) -> str:
    """The states of the only lesson's exercises."""
    ((lesson,), notes) = read_lessons(folder)
    assert notes == []
    return " ".join(exercise.state for exercise in lesson.exercises)


@pytest.fixture(scope="module")
def session(student_edition, tmp_path_factory):
    """Work in a notebook that was last saved when nothing was answered yet: (folder, the notebook with its outputs)."""
    folder = tmp_path_factory.mktemp("session")
    nbformat.write(student_edition, folder / "00_toy.ipynb")
    work = answered(student_edition, climb=WITH_A_BAR)
    work.cells += map(new_code_cell, ["check.progress()", "def double(values):\n    return 0", "check.progress()"])
    work.cells += map(new_code_cell, [INTERRUPTED, "check.double(double)", "check.progress()", ON_MISSING_DATA])
    work.cells.append(new_code_cell('from course_utils import movielens\nmovielens.load("ml-100k")'))
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(work, kernel_name="python3", resources=where, allow_errors=True, coalesce_streams=False).execute()
    return folder, work


@pytest.fixture
def saved(session, tmp_path):
    """The same work, saved after its first seven cells, and nobody's kernel: (folder, notebook)."""
    notebook = copy.deepcopy(session[1])
    notebook.cells = notebook.cells[: place(notebook, "answer-00-3-why") + 1]
    nbformat.write(notebook, tmp_path / "00_toy.ipynb")
    return tmp_path, notebook


def shown(cell) -> str:
    """What a cell shows in plain text."""
    return "\n".join(output.data["text/plain"] for output in cell.outputs if output.output_type == "display_data")


def test_verdicts_of_the_running_kernel_count_before_the_notebook_is_saved(session):
    said = shown(session[1].cells[-8])
    assert "Progress: 4 of 5 points, 4 more marked by hand" in said
    assert "✓  1  double: 2 of 2 points" in said
    assert "◐  2  ladder: 2 of 3 points" in said
    assert "Next: lesson 00, exercise 2, ladder: 2 of 3 points so far. Hint: Climb on." in said


def test_an_answer_that_was_changed_after_its_check_counts_no_more(session):
    said = shown(session[1].cells[-6])
    assert "Progress: 2 of 5 points" in said
    assert "↻  1  double: 2 points, changed since it was checked" in said
    assert "Next: lesson 00, exercise 1, double: it was changed, or its check was stopped. Run its check again." in said


def test_a_check_that_is_interrupted_leaves_one_line_and_no_points(session):
    (error,) = session[1].cells[-4].outputs
    assert error.traceback == ["Stopped here: double was interrupted and has no verdict. Run this cell again."]
    assert "Progress: 2 of 5 points" in shown(session[1].cells[-3])


def test_a_check_whose_data_are_missing_leaves_one_line_that_says_what_to_do(session):
    (error,) = session[1].cells[-2].outputs
    assert len(error.traceback) == 1
    assert "Stopped here: ladder could not start, through no fault of yours: " in error.traceback[0]
    assert "ml-100k is there, but holds no u.data" in error.traceback[0]


def test_a_data_set_that_is_missing_leaves_one_line_outside_of_checks_too(session):
    (error,) = session[1].cells[-1].outputs
    assert len(error.traceback) == 1
    assert error.traceback[0].startswith("DataError: ")


def test_a_progress_bar_in_an_answer_is_seen_as_it_goes_and_wiped_out_in_the_end(session):
    cell = session[1].cells[place(session[1], "check-00-2-ladder")]
    texts = [(output.name, output.text) for output in cell.outputs if output.output_type == "stream"]
    assert {name for name, _ in texts} == {"stdout"}
    bars = [text for _, text in texts if "6 [" in text]
    assert len(bars) >= 3
    assert all(text.startswith("\r") for text in bars)
    terminal = CaughtErrors(live=False)
    terminal.write("".join(text for _, text in texts))
    assert terminal.end() == "a warning"


def test_a_saved_notebook_shows_its_points_without_a_kernel(saved):
    assert states(saved[0]) == "full part unwritten"


@pytest.mark.parametrize(
    ("grade_id", "source", "expected"),
    [
        ("ex-00-1-double", "def double(values):\n    return values", "changed part unwritten"),
        ("check-00-1-double", "check.ladder(climb)", "open part unwritten"),
        ("answer-00-3-why", "Because it is.", "full part written"),
        ("answer-00-3-why", " \n", "full part unwritten"),
    ],
    ids=["another answer", "another check", "a question answered", "a question emptied"],
)
def test_a_saved_verdict_counts_only_for_what_it_was_given_for(saved, grade_id, source, expected):
    folder, notebook = saved
    notebook.cells[place(notebook, grade_id)].source = source
    nbformat.write(notebook, folder / "00_toy.ipynb")
    assert states(folder) == expected


def test_an_answer_may_be_written_in_another_cell_than_its_own(saved):
    folder, notebook = saved
    answer = place(notebook, "ex-00-1-double")
    notebook.cells.append(new_code_cell(notebook.cells[answer].source))
    notebook.cells[answer].source = "# see the last cell"
    nbformat.write(notebook, folder / "00_toy.ipynb")
    assert states(folder) == "full part unwritten"


def change_record(**changes):
    def change(record):
        record |= changes

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (change_record(points=1e9), ("full", 2)),
        (change_record(points=-3), ("failed", 0)),
        (change_record(points=float("nan")), ("open", 0)),
        (change_record(points="2"), ("open", 0)),
        (change_record(points=True), ("open", 0)),
        (change_record(points=10**400), ("full", 2)),
        (change_record(max_points=5.0), ("changed", 0)),
        (change_record(check="ladder"), ("open", 0)),
        (change_record(status=None), ("open", 0)),
        (change_record(cells=["a"]), ("open", 0)),
        (change_record(cells="0123456789abcdef"), ("changed", 0)),
        (change_record(ladder={"rungs": "x" * 9}), ("full", 2)),
        (dict.clear, ("open", 0)),
    ],
)
def test_whatever_an_output_says_no_exercise_gets_more_than_its_points(saved, change, expected):
    folder, notebook = saved
    for output in notebook.cells[place(notebook, "check-00-1-double")].outputs:
        if VERDICT_MIME in output.data:
            change(output.data[VERDICT_MIME])
    (folder / "00_toy.ipynb").write_text(json.dumps(notebook))
    ((lesson,), _) = read_lessons(folder)
    assert (lesson.exercises[0].state, lesson.exercises[0].earned) == expected


def test_a_check_cell_that_stands_there_twice_counts_once(saved):
    folder, notebook = saved
    notebook.cells.append(NotebookNode(notebook.cells[place(notebook, "check-00-1-double")], id="again"))
    nbformat.write(notebook, folder / "00_toy.ipynb")
    assert states(folder) == "full part unwritten"


def test_a_copy_of_a_notebook_is_named_and_does_not_count(saved):
    folder, notebook = saved
    nbformat.write(notebook, folder / "00_toy-Copy1.ipynb")
    lessons, notes = read_lessons(folder)
    assert [lesson.file for lesson in lessons] == ["00_toy.ipynb"]
    assert notes == ["00_toy-Copy1.ipynb is another notebook of lesson 00, and is not counted."]


@pytest.mark.parametrize(
    "text",
    ["", "no notebook", "[" * 100_000, '{"cells": [', "\udcff", '{"a": ' + "9" * 5000 + "}"],
    ids=["empty", "text", "nested", "cut off", "no UTF-8", "a long number"],
)
def test_a_damaged_notebook_costs_one_sentence_and_no_other_lesson(saved, text):
    (saved[0] / "01_next.ipynb").write_text(text, errors="surrogateescape")
    lessons, notes = read_lessons(saved[0])
    assert [lesson.number for lesson in lessons] == ["00"]
    assert notes == ["01_next.ipynb cannot be read, and is not counted."]


TAGS = {"grade": True, "grade_id": "check-01-1-x", "points": 2}


@pytest.mark.parametrize(
    "content",
    [
        7,
        [],
        {"cells": {}},
        {"cells": [None, 3, {"source": 5, "outputs": {}, "metadata": []}]},
        {"cells": [{"cell_type": "code", "source": ["a", None], "metadata": {"nbgrader": "x"}}]},
        {"cells": [{"source": "", "metadata": {"nbgrader": TAGS | {"grade_id": "check-01-1-<b>"}}}]},
        {"cells": [{"source": "", "metadata": {"nbgrader": TAGS | {"points": "2"}}}]},
        {"cells": [{"source": "", "metadata": {"nbgrader": TAGS | {"points": 1e300}}}]},
        {"worksheets": [{"cells": []}]},
    ],
    ids=str,
)
def test_a_file_that_holds_no_exercise_is_no_lesson(tmp_path, content):
    (tmp_path / "other.ipynb").write_text(json.dumps(content))
    assert read_lessons(tmp_path) == ([], [])


def test_a_cell_whose_outputs_are_nonsense_is_an_open_exercise(tmp_path):
    outputs = [None, {"data": 3}, {"data": {VERDICT_MIME: "x"}}, {"data": {VERDICT_MIME: {"check": "x"}}}]
    call = "import a.b as check\ncheck.x(y)"
    cell = {"cell_type": "code", "source": call, "metadata": {"nbgrader": TAGS}, "outputs": outputs}
    (tmp_path / "x.ipynb").write_text(json.dumps({"cells": [cell]}))
    assert states(tmp_path) == "open"


def test_without_notebooks_one_sentence_says_where_it_looked(tmp_path, capsys):
    progress(tmp_path)
    assert f"There is no notebook of this course in {tmp_path}. If yours lie elsewhere" in capsys.readouterr().out
    progress(tmp_path / "gone")
    assert f"The folder {tmp_path / 'gone'} cannot be read: No such file" in capsys.readouterr().out


def test_under_a_grader_nothing_is_shown(saved, monkeypatch, capsys):
    monkeypatch.setenv(WORLDS_VARIABLE, str(saved[0]))
    assert progress(saved[0]) is None
    assert capsys.readouterr().out == ""


def test_reading_progress_changes_no_file_and_remembers_nothing(saved):
    def picture():
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in saved[0].iterdir()}, dict(latest)

    before = picture()
    read_lessons(saved[0])
    assert picture() == before


def test_titles_are_the_lessons_own(tmp_path, saved):
    folder, notebook = saved
    headings = "### Exercise 1: twice *each* `value` (2 points)\n\ntext\n\n### Exercise 2: the (steep) climb\n"
    notebook.cells.insert(1, new_markdown_cell(headings))
    nbformat.write(notebook, folder / "00_toy.ipynb")
    ((lesson,), _) = read_lessons(folder)
    assert [exercise.title for exercise in lesson.exercises] == ["twice each value", "the (steep) climb", "why"]
    assert lesson.title == "A toy lesson"


LESSONS = [
    Lesson("00", "First", "a.ipynb", False, (Exercise(1, "one", 2, "full", 2), Exercise(2, "two", 3, "open"))),
    Lesson("01", "Then", "b.ipynb", True, (Exercise(1, "climb", 4, "part", 3, "Go `on`.", RMSE),)),
    Lesson("02", "Last", "c.ipynb", False, (Exercise(1, "why", 3, "unwritten"),)),
]


def done(lesson: Lesson) -> Lesson:
    return replace(lesson, exercises=tuple(replace(e, state="full", earned=e.points) for e in lesson.exercises))


def test_the_next_step_is_in_the_lesson_that_is_open_and_then_in_the_first_one():
    assert next_step(LESSONS) == "Next: lesson 01, exercise 1, climb: 3 of 4 points so far. Hint: Go `on`."
    assert next_step([LESSONS[0], done(LESSONS[1])]) == "Next: lesson 00, exercise 2, two (3 points)."
    assert next_step([done(LESSONS[0]), LESSONS[2]]) == "Next: lesson 02, question 1, why (3 points, marked by hand)."
    assert next_step([done(LESSONS[0])]) == "All of it is done."


def test_the_text_adds_up_and_draws_the_ladder():
    said = as_text(LESSONS, ["a note."], ".")
    assert said.startswith("Progress: 5 of 9 points, 3 more marked by hand\n")
    assert "░" * 20 + "  0 of 0 points, 3 more marked by hand" in said
    rungs = said[said.index("○ tuned") : said.index("✓ the mean") + 50].split("\n")
    assert [rung.split()[0] for rung in rungs[:4]] == ["○", "◆", "✓", "✓"]
    assert "below 0.9500, 2 points" in said
    assert "a note." in said


def test_the_card_says_in_words_what_it_shows_in_colour_and_runs_nothing():
    evil = "<script>alert(1)</script>"
    hostile = Lesson("03", evil, evil, True, (Exercise(1, evil, 1, "failed", 0, evil),))
    page = as_html([*LESSONS, hostile], [evil], evil)
    assert "<script" not in page
    assert "on" + "click" not in page
    assert 'aria-label="1, climb: 3 of 4 points"' in page
    assert "<code>on</code>" in page
    assert as_html([], [evil], evil).count("&lt;script&gt;") == 2


def test_a_ladder_counts_rungs_from_the_lowest_without_a_gap():
    assert RMSE.n_passed == 2
    assert replace(RMSE, value=1.1).n_passed == 0
    assert replace(RMSE, value=0.1).n_passed == 3
    assert replace(RMSE, higher_is_better=True, value=0.92).n_passed == 0
    assert RMSE.summary == "RMSE 0.9300: 2 of 3 rungs passed (lower is better)"


@pytest.mark.parametrize(("value", "place_from_above"), [(0.5, 0), (0.93, 1), (1.0, 2), (9.0, 3)])
def test_the_figure_is_well_formed_and_says_itself_to_those_who_do_not_see_it(value, place_from_above):
    standing = replace(RMSE, value=value, metric="<RMSE & more>")
    picture = ElementTree.fromstring(standing.figure())
    inside = {child.tag.rpartition("}")[2]: child.text for child in picture}
    assert inside["title"] == standing.summary
    assert inside["desc"] == "; ".join(standing.lines())
    assert [line[0] for line in standing.lines()].index("◆") == place_from_above


def test_a_standing_survives_json():
    assert Standing.from_dict(json.loads(json.dumps(asdict(RMSE)))) == RMSE


@pytest.mark.parametrize(
    "changes",
    [
        {"value": float("nan")},
        {"value": "0.9"},
        {"value": 10**400},
        {"value": True},
        {"rungs": []},
        {"rungs": [{"name": "x", "bar": 1}]},
        {"rungs": 3},
        {"rungs": [{"name": "x", "bar": 1.0, "points": 1}] * 21},
        {"rungs": [{"name": "x" * 81, "bar": 1.0, "points": 1}]},
        {"metric": "a\x1b[2J"},
        {"metric": None},
    ],
    ids=str,
)
def test_what_is_no_standing_is_none(changes):
    assert Standing.from_dict(asdict(RMSE) | changes) is None
    assert Standing.from_dict(None) is None


@pytest.mark.parametrize(
    ("written", "left"),
    [
        (["one\n", "two"], "one\ntwo"),
        (["\r 0%", "\r50%", "\r   ", "\r"], ""),
        (["\r 0%", "\r99%", "\n", "later\n"], "99%\nlater"),
        (["\router 0%", "\n\rinner 0%\x1b[A", "\n\rinner 9%\x1b[A", "\router 1%", "\n"], "outer 1%\ninner 9%"),
        (["windows\r\n", "lines\r\n"], "windows\nlines"),
        (["\x1b[A\x1b[Aup"], "up"),
        (["x" * 5000], "x" * 2000),
    ],
    ids=["lines", "a bar that wipes itself out", "a bar that stays", "bars in bars", "CRLF", "up and away", "long"],
)
def test_of_what_is_written_over_the_last_state_is_left(written, left):
    errors = CaughtErrors(live=False)
    for text in written:
        errors.write(text)
    assert errors.end() == left


def test_a_flood_of_lines_keeps_its_end_and_little_memory():
    errors = CaughtErrors(live=False)
    for number in range(20_000):
        errors.write(f"line {number}\n")
    assert len(errors.lines) <= 401
    assert errors.end().endswith(f"line {19_999}")


def test_nothing_is_shown_live_after_the_end(capsys):
    errors = CaughtErrors(live=True)
    errors.write("\r 0%")
    assert errors.end() == " 0%"
    errors.write("\r99%")
    assert capsys.readouterr().out.replace(" ", "") == "\r0%\r\r"


def test_nothing_here_depends_on_the_folder_that_a_test_runs_in(saved, monkeypatch, capsys):
    monkeypatch.chdir(saved[0])
    progress()
    assert capsys.readouterr().out.startswith("Progress: 4 of 5 points")
    assert os.listdir() == ["00_toy.ipynb"]
