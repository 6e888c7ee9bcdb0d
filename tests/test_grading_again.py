"""A second run over the same folder keeps what is graded, and the marks that a person gave."""

import pytest
from graders import record_of, start_grading, stopped, wait_for
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook
from toy_course import DOUBLE, LESSON, answered, changed, hand_in, importable, make_course

from course_utils.errors import CourseError
from course_utils.grading.course import find_course
from course_utils.grading.grade import Grading


def test_a_second_run_keeps_what_is_graded_and_runs_only_what_changed(run, course, student_edition, folders):
    submitted, out = folders
    run(course, submitted, out)
    ada, bob = (out / ".work" / "results" / LESSON / f"{name}.json" for name in ("ada", "bob"))
    before = ada.stat().st_mtime_ns, bob.stat().st_mtime_ns
    hand_in(submitted, "bob", answered(student_edition))
    rows = run(course, submitted, out)
    assert rows["bob", "00-1-double"]["status"] == "ok"
    assert ada.stat().st_mtime_ns == before[0]
    assert bob.stat().st_mtime_ns > before[1]


def test_marks_given_by_hand_reach_the_table_and_survive_a_regrade(run, course, folders):
    submitted, out = folders
    first = run(course, submitted, out)
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("answer-00-3-why", LESSON, LESSON, "ada").manual_score = 3
        gradebook.find_grade("check-00-1-double", LESSON, LESSON, "bob").manual_score = 1
        gradebook.find_comment("answer-00-3-why", LESSON, LESSON, "ada").manual_comment = "Say why it grows."
        gradebook.db.commit()
    rows = run(course, submitted, out, regrade=True)
    assert rows["ada", "00-3-why"]["score"] == "3"
    assert rows["ada", "00-3-why"]["message"] == "Marked by hand."
    assert rows["bob", "00-1-double"]["score"] == "1"
    same = [key for key in rows if key not in {("ada", "00-3-why"), ("bob", "00-1-double")}]
    assert [rows[key] for key in same] == [first[key] for key in same]
    page = (out / "feedback" / "ada" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "3.0" in page
    assert "Say why it grows." in page


def test_an_answer_that_changed_after_it_was_marked_by_hand_asks_for_a_second_look(
    run, course, folders, student_edition
):
    submitted, out = folders
    run(course, submitted, out)
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}") as gradebook:
        for student in ("ada", "bob"):
            grade = gradebook.find_grade("answer-00-3-why", LESSON, LESSON, student)
            grade.manual_score, grade.needs_manual_grade = 3, False
        gradebook.db.commit()
    hand_in(submitted, "ada", answered(student_edition, why="On second thoughts, because of that."))
    rows = run(course, submitted, out, regrade=True)
    assert "The answer has changed since it was marked by hand" in rows["ada", "00-3-why"]["message"]
    assert rows["ada", "00-3-why"]["score"] == "3"
    assert rows["bob", "00-3-why"]["message"] == "Marked by hand."


def test_a_changed_lesson_is_refused_and_added_exercises_need_another_folder(run, tmp_path, monkeypatch, folders):
    submitted, out = folders
    course = find_course(make_course(tmp_path / "course"))
    importable(monkeypatch, course.root)
    run(course, submitted, out)
    source = course.root / "solutions" / f"{LESSON}.py"
    source.write_text(source.read_text() + "\n# %%\n1 + 1\n")
    with pytest.raises(CourseError, match="another version of the lessons or checks"):
        run(course, submitted, out)
    text = source.read_text()
    answer = text[text.rindex("# %% [markdown]") :]
    source.write_text(text + "\n" + answer.replace("00-3-why", "00-4-how"))
    with pytest.raises(CourseError, match="has exercises added or removed"):
        run(course, submitted, out, regrade=True)


def test_a_run_that_was_killed_goes_on_where_it_was(run, course, student_edition, tmp_path):
    submitted, out = tmp_path / "submitted", tmp_path / "graded"
    slow = "import time\ntime.sleep(1)\n" + DOUBLE
    for name in "abc":
        hand_in(submitted, name, answered(student_edition, double=slow))
    process = start_grading(course, submitted, out)
    wait_for(lambda: any(record_of(out, name).exists() for name in "abc"))
    process.kill()
    process.communicate()
    results = out / ".work" / "results" / LESSON
    finished = {path.name: path.stat().st_mtime_ns for path in results.glob("[a-c].json")}
    assert 1 <= len(finished) < 3
    rows = run(course, submitted, out)
    assert {rows[name, "00-1-double"]["status"] for name in "abc"} == {"ok"}
    assert all((results / name).stat().st_mtime_ns == mtime for name, mtime in finished.items())


def test_only_the_chosen_exercises_get_a_new_mark(run, course, student_edition, tmp_path, monkeypatch):
    submitted, out, switch = tmp_path / "submitted", tmp_path / "graded", tmp_path / "switch"
    worse = f"os.path.exists({str(switch)!r})"
    work = answered(
        student_edition,
        double=f"def double(values):\n    return values if {worse} else values + values",
        climb=f"def climb():\n    return 1 if {worse} else 3",
    )
    for name in ("ada", "bob"):
        hand_in(submitted, name, work)

    def scores(rows: dict) -> dict:
        """(student, number of the exercise) to what the machine gave."""
        return {(student, name[:4]): row["score"] for (student, name), row in rows.items() if name != "00-3-why"}

    assert set(scores(run(course, submitted, out)).values()) == {"2", "3"}
    switch.touch()  # from now on everything that runs is worse
    with monkeypatch.context() as patch:
        patch.setattr(Grading, "all", stopped)
        with pytest.raises(CourseError, match="stopped"):
            run(course, submitted, out, regrade=True, students=["ada"], exercises=["00-2-ladder"])
    once = {("ada", "00-1"): "2", ("ada", "00-2"): "1", ("bob", "00-1"): "2", ("bob", "00-2"): "3"}
    assert scores(run(course, submitted, out)) == once  # goes on with what was asked for
    page = (out / "feedback" / "ada" / LESSON / f"{LESSON}.html").read_text(encoding="utf-8")
    assert "all values doubled" in page
    assert "stands on rung 1 of 3" in page
    hand_in(submitted, "bob", changed(work, lambda notebook: notebook.cells.append(new_markdown_cell("More."))))
    rows = run(course, submitted, out, regrade=True, exercises=["00-2-ladder"])
    assert scores(rows) == once | {("bob", "00-1"): "0", ("bob", "00-2"): "1"}  # another file is graded as a whole
    assert scores(run(course, submitted, out, regrade=True))["ada", "00-1"] == "0"


def test_an_exercise_to_regrade_that_nobody_knows_is_one_line(run, course, folders, one_line):
    with pytest.raises(
        CourseError, match=r"no check is called 00-9-x; those that were handed in are 00-1-double, 00-2"
    ):
        run(course, *folders, regrade=True, exercises=["00-9-x"])
    words = ("grade", str(folders[0]), "--out", str(folders[1]), "--exercise", "00-1-double")
    assert one_line(*words) == "--exercise says what to --regrade; pass both"
