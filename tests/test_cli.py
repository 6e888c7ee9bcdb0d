"""The command `course`, pytest's --submission and nbgrader's own commands, as a person calls them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from toy_course import LESSON, answered, hand_in, make_course

from course_utils import cli
from course_utils.grading.build import build
from course_utils.grading.course import find_course
from course_utils.grading.patches import Expectation, apply_patch, expected_marks, read_patch
from course_utils.grading.stage import read_source

BIN = Path(sys.executable).parent


def call(course, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
    """Run a command where a person would; its first word is found beside this Python."""
    path = os.pathsep.join(filter(None, [str(course.root / "site-packages"), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "COURSE_DATASET": "synthetic"}
    words = [str(BIN / command[0]), *command[1:]]
    return subprocess.run(words, cwd=cwd or course.root, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture
def fails_by_one_line(monkeypatch, capsys):
    """Call the command in this process; it must fail by one line on standard error that holds the words."""

    def call_and_look(folder: Path, *arguments: str, words: str) -> None:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["course", *arguments])
        monkeypatch.setenv("COURSE_DATASET", "synthetic")
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr().err
        assert ended.value.code == 1
        assert words in told
        assert len(told.strip().splitlines()) == 1, told

    return call_and_look


def test_help_costs_less_than_half_a_second_of_cpu():
    help_ = subprocess.Popen([BIN / "course", "--help"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(help_.pid, 0)  # what this process used, and no other child that has ended since
    help_.returncode = os.waitstatus_to_exitcode(status)
    assert help_.returncode == 0
    assert used.ru_utime + used.ru_stime < 0.5


def test_help_imports_neither_pandas_nor_nbgrader():
    code = "import sys, course_utils.cli; assert not {'pandas', 'nbgrader', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_build_check_fails_until_everything_is_in_step(tmp_path):
    course = find_course(make_course(tmp_path))
    stale = call(course, "course", "build", "--check")
    assert stale.returncode == 1
    assert "notebooks/00_toy.ipynb is missing" in stale.stderr
    built = call(course, "course", "build", "--execute")
    assert "executed solutions/00_toy.ipynb on synthetic in" in built.stdout
    assert call(course, "course", "build", "--check").returncode == 0


def test_check_says_in_the_terminal_what_the_check_cells_say(course, student_edition, tmp_path):
    work = hand_in(tmp_path, "me", answered(student_edition, climb="def climb():\n    return 2"))
    result = call(course, "course", "check", str(work))
    assert result.returncode == 1
    assert "✓ 00-1-double: 2 of 2 points\n  all values doubled" in result.stdout
    assert "◐ 00-2-ladder: 2 of 3 points\n  stands on rung 2 of 3" in result.stdout
    assert "Hint:      Climb on." in result.stdout
    assert "4 of 5 points" in result.stdout


def test_check_exits_with_zero_on_full_points_and_speaks_json(course, student_edition, tmp_path):
    work = hand_in(tmp_path, "me", answered(student_edition))
    result = call(course, "course", "check", str(work), "--json")
    assert result.returncode == 0
    told = json.loads(result.stdout)
    assert (told["points"], told["max_points"]) == (5, 5)
    assert [entry["exercise"] for entry in told["checks"]] == ["00-1-double", "00-2-ladder"]


def test_check_of_something_else_is_one_line(tmp_path, fails_by_one_line):
    (tmp_path / "text.ipynb").write_text("no notebook")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "bare.ipynb")
    fails_by_one_line(tmp_path, "check", "gone.ipynb", words="there is no such file")
    fails_by_one_line(tmp_path, "check", "text.ipynb", words="it is not JSON")
    fails_by_one_line(tmp_path, "check", "bare.ipynb", words="holds no check cells")


def test_check_tells_why_demonstrations_stopped_and_only_counts_those_that_lack_what_came_before(
    course, student_edition, tmp_path
):
    notebook = answered(student_edition)
    for source in ("ratings", "len(ratings)", "from course_utils import movielens\nratings = movielens.load('ml-1k')"):
        notebook.cells.insert(1, nbformat.v4.new_code_cell(source))
    work = hand_in(tmp_path, "me", notebook)
    result = call(course, "course", "check", str(work))
    assert result.returncode == 0
    (stopped, more) = result.stdout.splitlines()[-2:]
    assert "course_utils import movielens` stopped: DataError: there is no data set named 'ml-1k'. Did you" in stopped
    assert more == "After that, 2 more lacked a name that an earlier cell gives."


def test_pytest_runs_a_submission_as_one_test_a_check_from_any_folder(course, student_edition, tmp_path):
    work = hand_in(tmp_path, "me", answered(student_edition, double="def double(values):\n    return 3 * values"))
    (tmp_path / "test_other.py").write_text("def test_other():\n    assert False\n")
    result = call(course, "pytest", "--submission", str(work), "-v", cwd=tmp_path)
    assert "00-1-double FAILED" in result.stdout
    assert "00-2-ladder PASSED" in result.stdout
    assert "Hint:      Twice each value." in result.stdout
    assert "test_other" not in result.stdout
    assert result.returncode == 1


def test_pytest_names_a_submission_that_is_not_there(course):
    result = call(course, "pytest", "--submission", "gone.ipynb")
    assert result.returncode == 4
    assert "--submission gone.ipynb: there is no such file" in result.stderr


def test_grade_prints_marks_and_names_the_report(course, student_edition, tmp_path):
    hand_in(tmp_path / "submitted", "ada", answered(student_edition))
    result = call(
        course, "course", "grade", str(tmp_path / "submitted"), "--out", str(tmp_path / "graded"), "--sandbox", "none"
    )
    assert result.returncode == 0, result.stderr
    assert "ada" in result.stdout
    assert "5 of 9" in result.stdout
    assert f"Report: {tmp_path / 'graded' / 'report.html'}" in result.stdout
    again = call(course, "course", "report", str(tmp_path / "graded"))
    assert "5 of 9" in again.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("grade", "nowhere", "--out", "graded"), "nowhere is no folder"),
        (("grade", "solutions", "--out", "graded", "--lesson", "99_x"), "There is no lesson '99_x'"),
        (("grade", "solutions", "--out", "graded", "--dataset", "ml-1k"), "there is no data set named 'ml-1k'"),
        (("grade", "solutions", "--out", "graded", "--budget", "huge"), "--budget is fast or full, not 'huge'"),
        (("report", "solutions"), "holds no grading run"),
        (("data", "ml-1k"), "there is no data set named 'ml-1k'"),
        (("build", "99_x"), "There is no lesson '99_x'"),
    ],
)
def test_a_wrong_word_is_one_clear_line(course, words, message, fails_by_one_line):
    fails_by_one_line(course.root, *words, words=message)
    assert not (course.root / "graded").exists()


def test_without_what_only_graders_need_grade_names_the_extra(course, monkeypatch, fails_by_one_line):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "course_utils.grading.grade", raising=False)
    fails_by_one_line(course.root, "grade", "submitted", "--out", "graded", words="pip install -e '.[grading]'")


def test_outside_the_course_the_commands_say_so(tmp_path, fails_by_one_line):
    fails_by_one_line(tmp_path, "build", words="is not inside the course")


def test_data_lists_all_names_and_counts_one():
    listed = subprocess.run([BIN / "course", "data"], capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in listed.stdout.splitlines()][-1] == "synthetic"
    counted = subprocess.run([BIN / "course", "data", "synthetic"], capture_output=True, text=True, check=True)
    assert "100,000 ratings by 943 users of 1,682 films" in counted.stdout


def test_nbgraders_own_commands_work_from_the_courses_root(tmp_path, student_edition):
    course = find_course(make_course(tmp_path))
    build(course)
    shutil.rmtree(course.work)  # the configuration stages what is missing

    def nbgrader(*words: str) -> subprocess.CompletedProcess:
        result = call(course, "nbgrader", *words)
        assert result.returncode == 0, result.stderr
        return result

    nbgrader("generate_assignment", LESSON)
    released = (course.work / "release" / LESSON / f"{LESSON}.ipynb").read_text()
    assert "secret of doubling" not in released
    assert "Replace this line with your answer, run this cell" in released
    half = answered(
        student_edition, climb="def climb():\n    import sys\n    print('50 %', file=sys.stderr)\n    return 2"
    )
    hand_in(course.root / "submitted", "ada", half)
    validated = nbgrader("validate", f"notebooks/{LESSON}.ipynb")
    assert "VALIDATION FAILED ON 3 CELL(S)" in validated.stdout
    assert "○ double: 0 of 2 points\n      Hint:      double is still to do" in validated.stdout
    nbgrader("autograde", LESSON)
    nbgrader("generate_feedback", LESSON)
    nbgrader("export")
    (ada,) = [line for line in (course.root / "grades.csv").read_text().splitlines() if ",ada," in line]
    assert ",4.0," in ada
    assert (course.root / "feedback" / "ada" / LESSON / f"{LESSON}.html").exists()


PATCH = """\
# Somebody who climbs half the way.
# rest: stub

# %% ex-00-2-ladder
# expect: 1.5 failed "rung 1.5" Climb
def climb():
    # half of it
    return 1.5

# %% [markdown] answer-00-3-why
# Because.
#
# It does.
"""


def test_a_patch_gives_its_cells_and_the_marks_they_must_get(course, student_edition, tmp_path):
    path = tmp_path / LESSON / "half.py"
    path.parent.mkdir()
    path.write_text(PATCH)
    patch = read_patch(path)
    notebook = apply_patch(patch, student_edition, read_source(course.lesson(LESSON)))
    sources = {cell.id: cell.source for cell in notebook.cells}
    assert sources["ex-00-2-ladder"] == "def climb():\n    # half of it\n    return 1.5"
    assert sources["answer-00-3-why"] == "Because.\n\nIt does."
    assert "NotImplementedError" in sources["ex-00-1-double"]
    assert patch.description == "Somebody who climbs half the way."
    assert expected_marks(patch, student_edition) == {
        "00-1-double": Expectation(0, "not_attempted"),
        "00-2-ladder": Expectation(1.5, "failed", ("rung 1.5", "Climb")),
    }
    path.write_text(PATCH.replace("rest: stub", "rest: reference"))
    notebook = apply_patch(read_patch(path), student_edition, read_source(course.lesson(LESSON)))
    assert "twice = 2 * values" in notebook.cells[2].source
    assert "SOLUTION" not in notebook.cells[2].source
