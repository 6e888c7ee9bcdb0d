"""What a grading run came to: one row per graded exercise, and grades.csv.

An exercise goes by the part of its cell's grade id that a reader knows: `01-4-mf` for `check-01-4-mf`, and for the
free response `answer-01-13-why` likewise `01-13-why`.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import nbformat
from nbgrader.utils import is_grade, is_solution

from course_utils.checks.verdict import STATUSES, Verdict, number
from course_utils.errors import CourseError
from course_utils.grading.course import write_atomic
from course_utils.grading.gradebook import Mark
from course_utils.grading.runfolder import RunFolder
from course_utils.running.verdicts import exercise_of

COLUMNS = ("student", "lesson", "exercise", "score", "max_score", "status", "message")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NO_NOTEBOOK = ("missing", "unreadable")


@dataclass(frozen=True)
class Row:
    """One graded exercise of one student. `score` is None while it waits for marking by hand."""

    student: str
    lesson: str
    exercise: str
    score: float | None
    max_score: float
    status: str
    message: str
    slip: str = ""


@dataclass(frozen=True)
class Exercise:
    """A graded cell of a lesson: its grade id, its points, and whether a person marks it."""

    grade_id: str
    points: float
    by_hand: bool


def exercises_of(run: RunFolder, lesson: str) -> list[Exercise]:
    """The graded cells of a lesson, in its order."""
    try:
        notebook = nbformat.read(run.released(lesson), as_version=4)
    except FileNotFoundError as error:
        text = f"the run in {run.path} was stopped before {lesson} was prepared"
        raise CourseError(f"{text}; run the same `course grade` again to go on") from error
    return [
        Exercise(cell.metadata.nbgrader["grade_id"], float(cell.metadata.nbgrader["points"]), bool(is_solution(cell)))
        for cell in notebook.cells
        if is_grade(cell)
    ]


def rows_of(run: RunFolder, marks: dict[tuple[str, str, str], Mark]) -> list[Row]:
    """All rows of a run, by student, lesson, and the exercises' order."""
    exercises = {lesson: exercises_of(run, lesson) for lesson in run.manifest["lessons"]}
    return [
        row_of(record, exercise, marks.get((record["student"], record["lesson"], exercise.grade_id)))
        for record in run.records()
        for exercise in exercises[record["lesson"]]
    ]


def row_of(record: dict, exercise: Exercise, mark: Mark | None) -> Row:
    """One row. A mark given by hand counts before the machine's."""
    grade_id = exercise.grade_id
    verdict = Verdict.from_dict(record["verdicts"][grade_id]) if grade_id in record["verdicts"] else None
    # Without a mark, the gradebook was lost, and after it the file.
    score = mark.score if mark else verdict.points if verdict else None if record["verdicts"] else 0.0
    by_hand = mark is not None and mark.manual is not None
    slip = ""
    if record["outcome"] in NO_NOTEBOOK:
        status, message = record["outcome"], record["message"]
    elif exercise.by_hand:
        status, message = free_response(score, exercise.points, by_hand)
    else:
        status = verdict.status if verdict.status in (*STATUSES, "timeout", "memory") else "error"
        message = verdict.message
        slip = verdict.slip if status == "failed" else message if status not in ("ok", "not_attempted") else ""
    if grade_id in record["tampered"]:
        status = "tampered"
    notes = record["notes"].get(grade_id, []) + record["notes"].get(f"ex-{exercise_of(grade_id)}", [])
    if by_hand and not exercise.by_hand:
        notes = [*notes, "marked by hand"]
    if mark and mark.outdated:
        notes = [*notes, "the answer has changed since it was marked by hand: look at it again"]
    if record["since"]:
        notes = [*notes, record["since"]]
    said = [f"{note[0].upper()}{note[1:]}." for note in notes]
    return Row(
        record["student"],
        record["lesson"],
        exercise_of(grade_id),
        score,
        exercise.points,
        status,
        " ".join([*said, message]).strip(),
        slip,
    )


def free_response(score: float | None, points: float, by_hand: bool) -> tuple[str, str]:
    """Status and message of an answer that a person marks."""
    if score is None:
        return "ok", "Waits for marking by hand."
    if by_hand:
        return ("ok" if score >= points else "failed"), "Marked by hand."
    return "not_attempted", "Still to do: the text was left as it was."


def write_csv(run: RunFolder, rows: list[Row]) -> None:
    """Write grades.csv. Text that a spreadsheet would take for a formula gets a leading apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        score = "" if row.score is None else number(row.score)
        names = [harmless(value) for value in (row.student, row.lesson, row.exercise)]
        writer.writerow([*names, score, number(row.max_score), row.status, harmless(row.message)])
    write_atomic(run.path / "grades.csv", text.getvalue())


def harmless(text: str) -> str:
    """The text, never a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
