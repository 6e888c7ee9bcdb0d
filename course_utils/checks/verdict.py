"""What a check concludes, and how a person gets to see it: as a card, as plain text, as JSON, as a number."""

from __future__ import annotations

import html
import re
import textwrap
import unicodedata
from dataclasses import asdict, dataclass, replace

from course_utils.checks.standing import Standing

VERDICT_MIME = "application/vnd.course.verdict+json"
"""Under this type a notebook's output carries the verdict for machines (`course check`, the report)."""

STATUSES = ("ok", "failed", "not_attempted", "error")
MOST_LETTERS = 2000
"""Of each text of a verdict."""

COLOURS = {"ok": "#1f7a5c", "part": "#8f5b0c", "none": "#b3382c", "not_attempted": "#5b6b7b"}
"""White letters have a contrast of 5 or more on each of these."""

WRAPPED = "white-space:pre-wrap;overflow-wrap:anywhere"


def number(points: float) -> str:
    """`2` for 2.0 and `2.5` for 2.5: points as people write them, and as nbgrader reads partial credit."""
    return f"{points:g}"


@dataclass(frozen=True)
class Verdict:
    """The result of one check.

    check       its name within the lesson, e.g. "low_rank"
    points      float, 0 <= points <= max_points
    max_points  float
    status      one of STATUSES; "failed" is anything below full points that ran to its end
    saw         on success or partial success: what was seen, one sentence
    called      on failure: the call that was made
    came_back   on failure: what it returned
    expected    on failure: what a right answer returns
    slip        on failure: the likely mistake
    ladder      where there is a ladder: the model's place on it
    cells       what the answer was written in, as `blame.cells_behind` says it; empty where that is not known
    """

    check: str
    points: float
    max_points: float
    status: str
    saw: str = ""
    called: str = ""
    came_back: str = ""
    expected: str = ""
    slip: str = ""
    ladder: Standing | None = None
    cells: str = ""

    @property
    def message(self) -> str:
        """The whole verdict in one line, without the points."""
        facts = [self.saw, *(f"{name}: {text}" for name, text in self.facts()), self.slip]
        return " ".join(sentence(fact) for fact in facts if fact)

    def facts(self) -> list[tuple[str, str]]:
        """The three facts of a failure that are there, with the words that introduce them."""
        facts = [("Called", self.called), ("Came back", self.came_back), ("Expected", self.expected)]
        return [(name, text) for name, text in facts if text]

    def as_dict(self) -> dict:
        """Everything that there is, as JSON types."""
        record = {name: value for name, value in asdict(self).items() if name not in ("ladder", "cells") or value}
        return {**record, "message": self.message}

    @classmethod
    def from_dict(cls, record: dict) -> Verdict:
        """The inverse of `as_dict`; unknown keys are ignored, and so is a ladder that is none."""
        known = {name: record[name] for name in cls.__dataclass_fields__ if name in record}
        return cls(**{**known, "ladder": Standing.from_dict(known.get("ladder"))})

    def readable(self) -> Verdict:
        """The same verdict, in texts that tables, pages and terminals can show, whatever a student put into them."""
        texts = {name: readable(getattr(self, name)) for name in ("saw", "called", "came_back", "expected", "slip")}
        return replace(self, **texts)

    @property
    def headline(self) -> str:
        """`3 of 3 points`, behind a mark that needs no colour."""
        mark = {"ok": "✓", "not_attempted": "○"}.get(self.status, "◐" if self.points else "✗")
        unit = "point" if self.max_points == 1 else "points"
        return f"{mark} {self.check}: {number(self.points)} of {number(self.max_points)} {unit}"

    def __str__(self) -> str:
        lines = [self.headline]
        lines += [f"  {self.saw}"] if self.saw else []
        lines += [f"  {name + ':':<10} {text}" for name, text in self.facts()]
        lines += [f"  {'Hint:':<10} {self.slip}"] if self.slip else []
        return "\n".join(lines)

    def wrapped(self, width: int = 80) -> str:
        """The same in lines of at most `width` letters."""
        lines = str(self).splitlines()
        return "\n".join(textwrap.fill(line, width, subsequent_indent=" " * 4) for line in lines)

    def card(self, figure: bool = False) -> str:
        """The verdict as HTML that stands by itself and reads in light and dark themes, and on a phone.

        Only a mark on a ground of its own has a colour; text has that of the page.

        figure  whether to draw the ladder, where there is one; feedback pages allow no SVG
        """
        colour = COLOURS.get(self.status, COLOURS["part" if self.points else "none"])
        mark, _, headline = self.headline.partition(" ")
        chip = f'<span style="color:#fff;background:{colour};padding:0 .4em;border-radius:4px">{mark}</span>'
        rows = "".join(
            '<div style="display:flex;flex-wrap:wrap;margin:.15em 0">'
            f'<div style="flex:0 0 7em;font-weight:600">{name}</div>'
            f'<div style="flex:1 1 16em;font-family:monospace;{WRAPPED}">{html.escape(text)}</div></div>'
            for name, text in self.facts()
        )
        return (
            f'<div style="border-left:5px solid {colour};padding:.4em .9em;margin:.3em 0;max-width:60em;{WRAPPED}">'
            f'<div style="font-weight:700">{chip} {html.escape(headline)}</div>'
            + (f'<div style="margin:.15em 0">{in_html(self.saw)}</div>' if self.saw else "")
            + (self.ladder.figure() if figure and self.ladder else "")
            + rows
            + (f'<div style="margin:.3em 0 0"><b>Hint.</b> {in_html(self.slip)}</div>' if self.slip else "")
            + "</div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        # As a cell's last value: the bare number that nbgrader reads as partial credit. The card was displayed before.
        return {"text/plain": number(self.points), "text/html": "<span></span>", VERDICT_MIME: self.as_dict()}


def in_html(text: str) -> str:
    """A sentence as HTML; what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def sentence(text: str) -> str:
    """The text with a full stop at its end, unless it already ends a sentence."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", ":")) else text + "."


def readable(text: str) -> str:
    """At most MOST_LETTERS of the text, without halves of characters and those that control a terminal or a line."""
    text = text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 3] + "..."
    return "".join(letter if letter in "\n\t" or unicodedata.category(letter)[0] != "C" else "�" for letter in text)
