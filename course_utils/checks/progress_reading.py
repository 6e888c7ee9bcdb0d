"""What the notebooks of the course show of a student's work: verdicts among their outputs, and answers to questions.

A verdict counts as long as the cells that its answer was written in are there as they were; after that, it has to be
earned again. What a check of this process has said counts before what a file holds, because Jupyter saves only now and
then. Whatever a file holds, reading it ends in lessons and sentences, never in a traceback.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from course_utils.checks.blame import cells_behind, digest_of
from course_utils.checks.framework import Check, latest
from course_utils.checks.notebook import in_shell
from course_utils.checks.standing import Standing
from course_utils.checks.verdict import VERDICT_MIME, Verdict, readable

TEXT_STUB = "*Replace this line with your answer.*"
"""Stands in the student edition where a person will read an answer."""

MAX_BYTES, MAX_POINTS = 50_000_000, 1000
"""A larger notebook is not looked at, and a cell with more points is none of ours."""

NAMED = re.compile(r"(check|answer)-(\d\d)-(\d{1,3})-([a-z0-9-]{1,64})")
TITLE = re.compile(
    r"^#{2,6} *(?:Exercise|Question) (\d{1,3})(?:: *(.*?))? *(?:\([^()]*points?[^()]*\))?$", re.MULTILINE
)
IMPORT = re.compile(r"^(?:from ([\w.]+) )?import ([\w.]+)(?: as (\w+))?", re.MULTILINE)
CALL = re.compile(r"^(\w+)\.(\w+)\(([\w, ]*)\)", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """One graded cell.

    number, title  as the lesson's text has them
    points         its full marks
    state          full, part, failed (checked, and not right), open (never checked), changed (since it was checked, so
                   that the verdict says nothing any more); for what a person marks, written or unwritten
    earned         points that the last verdict gives; 0 where it says nothing
    hint           what the verdict says about the slip
    ladder         where the exercise is a ladder, and was climbed: the place on it
    """

    number: int
    title: str
    points: float
    state: str
    earned: float = 0.0
    hint: str = ""
    ladder: Standing | None = None

    @property
    def by_hand(self) -> bool:
        return self.state in ("written", "unwritten")

    @property
    def is_done(self) -> bool:
        return self.state in ("full", "written")


@dataclass(frozen=True)
class Lesson:
    """One notebook: the two digits of its exercises' names, its title and file, and whether this process runs it."""

    number: str
    title: str
    file: str
    is_here: bool
    exercises: tuple[Exercise, ...]

    @property
    def earned(self) -> float:
        return sum(exercise.earned for exercise in self.exercises)

    @property
    def most(self) -> float:
        return sum(exercise.points for exercise in self.exercises if not exercise.by_hand)

    @property
    def by_hand(self) -> float:
        return sum(exercise.points for exercise in self.exercises if exercise.by_hand)


def read_lessons(folder: Path) -> tuple[list[Lesson], list[str]]:
    """The lessons whose notebooks lie in a folder, in order, and a sentence on each file that is not counted."""
    found, notes = {}, []
    try:
        paths = [path for path in folder.iterdir() if path.suffix == ".ipynb" and path.is_file()]
    except OSError as problem:
        return [], [f"The folder {folder} cannot be read: {problem.strerror}."]
    for path in sorted(paths, key=lambda path: (len(path.name), path.name)):  # a copy has the longer name
        try:
            lesson = read_lesson(path)
        except (OSError, ValueError, RecursionError):  # not there any more, no UTF-8, no JSON, nested too deeply
            notes.append(f"{readable(path.name)} cannot be read, and is not counted.")
            continue
        if lesson and lesson.number in found:
            notes.append(f"{lesson.file} is another notebook of lesson {lesson.number}, and is not counted.")
        elif lesson:
            found[lesson.number] = lesson
    return [found[number] for number in sorted(found)], notes


def read_lesson(path: Path) -> Lesson | None:
    """What a notebook shows of its lesson; None if it holds no exercises of a course. Raises OSError, ValueError."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("too large")
    saved, cells = path.stat().st_mtime, list(cells_of(json.loads(path.read_text(encoding="utf-8-sig"))))
    modules = {alias: module for cell in cells if cell.kind == "code" for alias, module in imports_of(cell.source)}
    digests = {digest_of(cell.source) for cell in cells}
    titles: dict[int, str] = {}
    exercises: dict[str, Exercise] = {}
    number, is_here = "", False
    for cell in cells:
        if cell.kind == "markdown":
            titles |= {int(found[1]): plain(found[2] or "") for found in TITLE.finditer(cell.source)}
        named = NAMED.fullmatch(cell.grade_id)
        if not named or not cell.points or cell.grade_id in exercises or named[2] != (number or named[2]):
            continue
        number, place = named[2], int(named[3])
        title = titles.get(place) or named[4].replace("-", " ")
        if named[1] == "answer":
            state = "unwritten" if cell.source.strip() in ("", TEXT_STUB) else "written"
            exercises[cell.grade_id] = Exercise(place, title, cell.points, state)
        else:
            call = next((c for c in CALL.finditer(cell.source) if c[1] in modules), None)
            exercise = Exercise(place, title, cell.points, "open")
            if call:
                is_here |= getattr(in_shell(call[1]), "__name__", None) == modules[call[1]]
                exercise = checked(exercise, cell, call, modules[call[1]], digests, saved)
            exercises[cell.grade_id] = exercise
    if not exercises:
        return None
    heading = next((line for cell in cells for line in cell.source.splitlines() if line.startswith("# ")), "")
    title = plain(heading.removeprefix("# ")).removeprefix(number).lstrip(" ·:")
    return Lesson(number, title or readable(path.stem), readable(path.name), is_here, tuple(exercises.values()))


def checked(exercise: Exercise, cell: Cell, call: re.Match, module: str, digests: set[str], saved: float) -> Exercise:
    """The exercise with what its check has said last, if that still holds.

    call     of the check: what the module goes by, the check's name, and what it is given
    digests  of the cells that the notebook holds
    saved    when the notebook was, in seconds since 1970
    """
    check = getattr(sys.modules.get(module), call[2], None)
    verdict, said = latest.get(check.key, (None, None)) if isinstance(check, Check) else (None, None)
    if said is None:
        verdict = shown_verdict(cell, call[2])
        if verdict is None:
            return exercise
    elif verdict is not None:
        now = cells_behind(tuple(in_shell(name.strip()) for name in call[3].split(",")))
        verdict = verdict if not now or not verdict.cells or now == verdict.cells else None
    if verdict is None or verdict.max_points != exercise.points:
        return replace(exercise, state="changed")
    if (said is None or said < saved) and not digests.issuperset(verdict.cells.split()):
        return replace(exercise, state="changed")
    if verdict.status == "not_attempted":
        return exercise
    earned = min(max(verdict.points, 0.0), exercise.points)
    state = "full" if earned == exercise.points else "part" if earned else "failed"
    return replace(exercise, state=state, earned=earned, hint=readable(verdict.slip), ladder=verdict.ladder)


def shown_verdict(cell: Cell, name: str) -> Verdict | None:
    """The last verdict of the check of that name among a cell's outputs; None if there is none that can be one."""
    for record in reversed(cell.verdicts):
        try:
            verdict = Verdict.from_dict(record)
        except TypeError:  # a part is missing
            continue
        texts = (verdict.status, verdict.slip, verdict.cells)
        figures = (verdict.points, verdict.max_points)
        if verdict.check == name and all(isinstance(text, str) for text in texts) and all(map(is_figure, figures)):
            return verdict
    return None


@dataclass(frozen=True)
class Cell:
    """What counts of a cell. `points` is 0 where nobody marks it; `verdicts` are whatever stands for one."""

    kind: str
    source: str
    grade_id: str
    points: float
    verdicts: tuple[dict, ...]


def cells_of(notebook: object) -> Iterator[Cell]:
    """The cells of a notebook of nbformat 4, from what its JSON says; what has a wrong type is left out."""
    for cell in list_of(dict_of(notebook).get("cells")):
        cell = dict_of(cell)
        source = cell.get("source")
        source = "".join(map(str, source)) if isinstance(source, list) else source
        tags = dict_of(dict_of(cell.get("metadata")).get("nbgrader"))
        grade_id, points = tags.get("grade_id"), tags.get("points")
        graded = tags.get("grade") is True and is_figure(points) and 0 < points <= MAX_POINTS
        data = [dict_of(dict_of(output).get("data")).get(VERDICT_MIME) for output in list_of(cell.get("outputs"))]
        yield Cell(
            str(cell.get("cell_type")),
            source if isinstance(source, str) else "",
            grade_id if isinstance(grade_id, str) else "",
            float(points) if graded else 0.0,
            tuple(record for record in data if isinstance(record, dict)),
        )


def imports_of(source: str) -> Iterator[tuple[str, str]]:
    """What names stand for modules: of `from a.b import c as d`, ("d", "a.b.c")."""
    for found in IMPORT.finditer(source):
        yield found[3] or found[2], f"{found[1]}.{found[2]}" if found[1] else found[2]


def plain(heading: str) -> str:
    """A heading without Markdown's signs."""
    return readable(re.sub(r"[*`$]", "", heading).strip())


def dict_of(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list:
    return value if isinstance(value, list) else []


def is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
