"""Progress over the course as a person sees it: a card for notebooks, light or dark, and plain text."""

from __future__ import annotations

import html
from collections.abc import Sequence

from course_utils.checks.progress_reading import Exercise, Lesson
from course_utils.checks.verdict import COLOURS, in_html, number, sentence

STATES = {
    "full": ("✓", "full points"),
    "part": ("◐", "part of the points"),
    "failed": ("✗", "not right yet"),
    "changed": ("↻", "changed since it was checked: run its check again"),
    "open": ("○", "not checked yet"),
    "written": ("✎", "answered, marked by hand"),
    "unwritten": ("□", "not answered yet, marked by hand"),
}
GROUNDS = {"full": COLOURS["ok"], "part": COLOURS["part"], "failed": COLOURS["none"]}
"""Marks that stand on a colour; the others have a frame. What a mark says does not hang on either."""

BAR = 20
"""Letters of a bar in plain text."""

NOTHING = (
    "There is no notebook of this course in {folder}. If yours lie elsewhere, say where: "
    'check.progress("path/to/the/notebooks").'
)


def next_step(lessons: Sequence[Lesson]) -> str:
    """What to do next: the first exercise that is not done, of the lesson that runs here, or else of the first one."""
    for lesson in sorted(lessons, key=lambda lesson: not lesson.is_here):  # otherwise as they come
        for exercise in lesson.exercises:
            if not exercise.is_done:
                return f"Next: lesson {lesson.number}, {step(exercise)}"
    return "All of it is done." if lessons else ""


def step(exercise: Exercise) -> str:
    """An exercise that is not done, and what to do about it."""
    named = f"exercise {exercise.number}, {exercise.title}"
    if exercise.state == "unwritten":
        return f"question {exercise.number}, {exercise.title} ({points(exercise.points)}, marked by hand)."
    if exercise.state == "open":
        return f"{named} ({points(exercise.points)})."
    if exercise.state == "changed":
        return f"{named}: it was changed, or its check was stopped. Run its check again."
    hint = f" Hint: {sentence(exercise.hint)}" if exercise.hint else ""
    return f"{named}: {earned(exercise)} so far.{hint}"


def as_text(lessons: Sequence[Lesson], notes: Sequence[str], folder: str) -> str:
    """The whole progress in lines; of the lesson that runs here, every exercise."""
    if not lessons:
        return "\n".join([NOTHING.format(folder=folder), *notes])
    lines = [f"Progress: {total(lessons)}"]
    for lesson in lessons:
        full = round(BAR * lesson.earned / lesson.most) if lesson.most else 0
        lines += ["", f"{lesson.number}  {lesson.title}", f"    {'█' * full}{'░' * (BAR - full)}  {total([lesson])}"]
        if lesson.is_here:
            lines += [f"    {STATES[e.state][0]} {e.number:>2}  {e.title}: {about(e)}" for e in lesson.exercises]
        else:
            lines += ["    " + "  ".join(f"{e.number}{STATES[e.state][0]}" for e in lesson.exercises)]
        for exercise in lesson.exercises:
            if exercise.ladder:
                ladder = [f"Ladder, exercise {exercise.number}: {exercise.ladder.summary}", *exercise.ladder.lines()]
                lines += [f"    {ladder[0]}", *(f"      {line}" for line in ladder[1:])]
    legend = ", ".join(f"{mark} {meaning}" for mark, meaning in legend_of(lessons))
    return "\n".join([*lines, "", next_step(lessons), *notes, f"({legend})"])


def as_html(lessons: Sequence[Lesson], notes: Sequence[str], folder: str) -> str:
    """The whole progress as one card. A click unfolds a lesson's exercises; those of the one that runs here are."""
    said = in_html(next_step(lessons) if lessons else NOTHING.format(folder=folder))
    small = "font-size:.85em;margin:.4em 0 0"
    legend = ", ".join(f"{mark} {meaning}" for mark, meaning in legend_of(lessons))
    return (
        f'<div class="course-progress" style="max-width:52em;padding:.2em .9em;margin:.3em 0;line-height:1.4;'
        f'overflow-wrap:anywhere;border-left:5px solid {COLOURS["ok"]}">'
        + (f'<div style="font-size:1.15em"><b>Progress: {html.escape(total(lessons))}</b></div>' if lessons else "")
        + f'<div style="margin:.3em 0 .6em">{said}</div>'
        + "".join(map(lesson_row, lessons))
        + "".join(f'<div style="{small}">{html.escape(note)}</div>' for note in notes)
        + (f'<div style="{small}">{legend}</div>' if lessons else "")
        + "</div>"
    )


def lesson_row(lesson: Lesson) -> str:
    """Title, bar, marks that unfold, ladders."""
    share = 100 * lesson.earned / lesson.most if lesson.most else 0
    hanging = "break-inside:avoid;padding-left:1.3em;text-indent:-1.3em"
    items = "".join(
        f'<li style="{hanging}">{STATES[e.state][0]} {e.number}. {html.escape(e.title)}: {about(e)}</li>'
        for e in lesson.exercises
    )
    ladders = "".join(
        f'<div style="margin:.4em 0 0">Ladder, exercise {e.number}: {html.escape(e.ladder.summary)}<br>'
        f"{e.ladder.figure()}</div>"
        for e in lesson.exercises
        if e.ladder
    )
    return (
        '<div style="margin:0 0 .9em"><div style="display:flex;flex-wrap:wrap;gap:0 1em;justify-content:space-between">'
        f"<b>{lesson.number} · {html.escape(lesson.title)}</b><span>{total([lesson])}</span></div>"
        '<div style="height:8px;border-radius:4px;background:rgba(128,128,128,.3);margin:.2em 0 .3em">'
        f'<div style="height:8px;border-radius:4px;background:{COLOURS["ok"]};width:{share:.1f}%"></div></div>'
        f'<details{" open" if lesson.is_here else ""}><summary style="cursor:pointer">'
        f"{''.join(map(mark, lesson.exercises))}</summary>"
        f'<ul style="list-style:none;margin:.3em 0 0;padding:0;columns:17em;font-size:.93em">{items}</ul></details>'
        f"{ladders}</div>"
    )


def mark(exercise: Exercise) -> str:
    """The number and the sign of an exercise in a small box."""
    ground = GROUNDS.get(exercise.state)
    look = f"color:#fff;background:{ground};border-color:{ground}" if ground else "border-color:rgba(128,128,128,.8)"
    label = html.escape(f"{exercise.number}, {exercise.title}: {about(exercise)}")
    return (
        f'<span role="img" aria-label="{label}" title="{label}" style="display:inline-block;white-space:nowrap;'
        f'font-size:.85em;padding:0 .35em;margin:1px 3px 1px 0;border:1px solid;border-radius:4px;{look}">'
        f"{exercise.number}&thinsp;{STATES[exercise.state][0]}</span>"
    )


def legend_of(lessons: Sequence[Lesson]) -> list[tuple[str, str]]:
    """The marks that are there, and what they mean."""
    there = {exercise.state for lesson in lessons for exercise in lesson.exercises}
    return [said for state, said in STATES.items() if state in there]


def about(exercise: Exercise) -> str:
    """`1 of 2 points`, or how it stands where that says too little."""
    if exercise.by_hand or exercise.state == "changed":
        return f"{points(exercise.points)}, {STATES[exercise.state][1]}"
    return earned(exercise)


def earned(exercise: Exercise) -> str:
    return f"{number(exercise.earned)} of {points(exercise.points)}"


def total(lessons: Sequence[Lesson]) -> str:
    """`12 of 14 points, 2 more by hand`."""
    by_hand = sum(lesson.by_hand for lesson in lessons)
    machine = f"{number(sum(lesson.earned for lesson in lessons))} of {points(sum(lesson.most for lesson in lessons))}"
    return machine + (f", {number(by_hand)} more marked by hand" if by_hand else "")


def points(figure: float) -> str:
    return f"{number(figure)} {'point' if figure == 1 else 'points'}"
