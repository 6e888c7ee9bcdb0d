"""What a finished run is read from: grades.csv, feedback, and report.html, a page that needs no network or script."""

from __future__ import annotations

from collections import Counter
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from course_utils.checks.verdict import number
from course_utils.errors import CourseError
from course_utils.grading.course import write_atomic
from course_utils.grading.gradebook import Recorder
from course_utils.grading.results import NO_NOTEBOOK, Row, rows_of, write_csv
from course_utils.grading.runfolder import RunFolder, find_run, gradebook_is_gone, locked

LADDER = "ladder"
"""An exercise whose slug holds this word is the lesson's ladder."""


def refresh(run: RunFolder) -> list[Row]:
    """Write grades.csv, report.html and the manifest anew, and the feedback pages of what was marked by hand."""
    with locked(run.path):
        return write_results(find_run(run.path))


def write_results(run: RunFolder) -> list[Row]:
    """`refresh`, in a folder that is locked."""
    if gradebook_is_gone(run.path):
        text = f"gradebook.db is missing in {run.path}, and with it all marks"
        raise CourseError(f"{text}; `course grade` into this folder again mends it, but for marks given by hand")
    recorder = Recorder(run.path)
    marks = recorder.marks()
    rows = rows_of(run, marks)
    graded = {(record["student"], record["lesson"]) for record in run.records() if record["verdicts"]}
    for student, lesson in sorted(recorder.looked_at() & graded):
        recorder.feedback(lesson, student)
    run.finish()
    write_csv(run, rows)
    write_report(run, rows)
    return rows


def write_report(run: RunFolder, rows: list[Row]) -> None:
    """Write report.html from the rows and the records of the run."""
    records = run.records()
    lessons = [lesson_picture(name, rows, records) for name in sorted(run.manifest["lessons"])]
    environment = Environment(
        loader=PackageLoader("course_utils.grading"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = number
    page = environment.get_template("report.html.j2").render(
        run=run.manifest,
        lessons=[lesson for lesson in lessons if lesson["students"]],
        seconds=sum(record["seconds"] for record in records),
    )
    write_atomic(run.path / "report.html", page)


def lesson_picture(lesson: str, rows: list[Row], records: list[dict]) -> dict:
    """All that the page shows of one lesson."""
    rows = [row for row in rows if row.lesson == lesson]
    records = [record for record in records if record["lesson"] == lesson]
    students = sorted((student_line(record, rows) for record in records), key=lambda s: (-s["score"], s["name"]))
    names = list(dict.fromkeys(row.exercise for row in rows))
    present = [row for row in rows if row.status not in NO_NOTEBOOK]
    exercises = [exercise_line(name, [row for row in present if row.exercise == name]) for name in names]
    scores = [s["score"] for s in students if not s["reason"]]
    return {
        "name": lesson,
        "students": students,
        "exercises": exercises,
        "struggles": sorted((e for e in exercises if e["share"] < 1 and not e["by_hand"]), key=lambda e: e["share"])[
            :5
        ],
        "graded": len(scores),
        "mean": sum(scores) / len(scores) if scores else 0.0,
        "most": students[0]["most"] if students else 0.0,
        "ladder": sorted((s for s in students if s["ladder"]), key=lambda s: (-s["ladder"]["score"], s["name"])),
        "odd": [s for s in students if s["odd"]],
        "waiting": sum(row.score is None for row in rows),
    }


def student_line(record: dict, rows: list[Row]) -> dict:
    """One student's total, ladder and oddities."""
    name, lesson = record["student"], record["lesson"]
    own = [row for row in rows if row.student == name]
    ladder = next((row for row in own if LADDER in row.exercise), None)
    grade_id = f"check-{ladder.exercise}" if ladder else ""
    saw = record["verdicts"].get(grade_id, {}).get("saw", "")
    odd = [f"{where}: {text}" if where else text for where, texts in record["notes"].items() for text in texts]
    if record["outcome"] != "ok":
        odd.append(f"{record['outcome']}: {record['message']}")
    if record["since"]:
        odd.append(record["since"])
    return {
        "name": name,
        "score": sum(row.score or 0.0 for row in own),
        "most": sum(row.max_score for row in own),
        "waiting": sum(row.max_score for row in own if row.score is None),
        "cells": own,
        "reason": record["outcome"] if record["outcome"] in NO_NOTEBOOK else "",
        "ladder": {"score": ladder.score or 0.0, "most": ladder.max_score, "saw": saw or ladder.message}
        if ladder
        else None,
        "odd": odd,
        "seconds": record["seconds"],
        "feedback": quote(f"feedback/{name}/{lesson}/{lesson}.html", errors="surrogateescape"),
    }


def exercise_line(name: str, rows: list[Row]) -> dict:
    """How one exercise went: statuses, mean share of the points, and the commonest slips."""
    marked = [row for row in rows if row.score is not None]
    share = sum(row.score / row.max_score for row in marked) / len(marked) if marked else 0.0
    slips = Counter(row.slip for row in rows if row.slip)
    kinds = Counter("full" if is_full(row) else "part" if row.score else "none" for row in marked)
    untouched = sum(row.status == "not_attempted" for row in rows)
    return {
        "name": name,
        "share": share,
        "full": kinds["full"],
        "part": kinds["part"],
        "none": kinds["none"] - untouched,
        "untouched": untouched,
        "waiting": len(rows) - len(marked),
        "n": len(rows),
        "by_hand": any(row.message.endswith(("by hand.", "as it was.")) for row in rows),
        "slips": slips.most_common(3),
    }


def is_full(row: Row) -> bool:
    return row.score is not None and row.score >= row.max_score
