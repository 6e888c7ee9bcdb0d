"""In every lesson, exercises, checks and known submissions belong together."""

from pathlib import Path

import pytest
from corpus import attempts, checks, exercises, expected_of, given, submissions

from course_utils.grading.course import find_course

LESSONS = [lesson.name for lesson in find_course(Path(__file__).parent).lessons]
EXERCISES = [(lesson, grade_id) for lesson in LESSONS for grade_id in exercises(lesson, "reference")]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_one_exercise_for_every_check(lesson):
    checked = [attempt.check.name for _, attempt in attempts(lesson, {}, "stub")]
    assert sorted(checked) == sorted(checks(lesson))


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_student_edition_as_it_comes_counts_as_not_attempted(lesson, monkeypatch):
    monkeypatch.setenv("COURSE_DATASET", "synthetic")
    for _, attempt in attempts(lesson, {}, "stub"):
        verdict = attempt.verdict(0)
        assert (verdict.points, verdict.status) == (0, "not_attempted"), verdict
        assert "is still to do" in verdict.message


@pytest.mark.parametrize(("lesson", "grade_id"), EXERCISES)
def test_every_exercise_has_two_more_right_answers_and_three_mistakes_on_file(lesson, grade_id):
    statuses = {
        submissions(lesson)[name].sources[grade_id]: expected_of(lesson, name, grade_id).status
        for name, exercise in given(lesson)
        if exercise == grade_id
    }
    assert sum(status == "ok" for status in statuses.values()) >= 2
    assert sum(status in ("failed", "error") for status in statuses.values()) >= 3
