"""Where a model stands on a ladder: in numbers, as lines of text, and as a small figure."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

MOST_RUNGS, MOST_LETTERS = 20, 80
"""Of a ladder, and of each name on it. What has more was not written by a check of this course."""

PASSED, NOT_PASSED, HERE = "✓", "○", "◆"
GREEN, ORANGE = "#2f9e79", "#d9730d"
"""Both have a contrast of more than 3 to a white and to a black page, as parts of figures need."""

WIDTH, GAP, EDGE = 390, 34, 40
"""Of the figure, in pixels: its width, the distance of two rungs, and that of the outer ones from the edge."""


@dataclass(frozen=True)
class Mark:
    """A rung: whom to pass, the figure that passes it, and its points."""

    name: str
    bar: float
    points: float


@dataclass(frozen=True)
class Standing:
    """A model's place on a ladder.

    metric            as a person calls it, e.g. "RMSE"
    higher_is_better  whether a rung is passed from below
    value             the model's figure
    rungs             from the lowest to the highest; a rung counts only if all below it are passed
    """

    metric: str
    higher_is_better: bool
    value: float
    rungs: tuple[Mark, ...]

    @classmethod
    def from_dict(cls, record: object) -> Standing | None:
        """What `dataclasses.asdict` made of a standing, or JSON of that; None for anything else."""
        try:
            rungs = tuple(Mark(_name(r["name"]), _figure(r["bar"]), _figure(r["points"])) for r in record["rungs"])
            made = cls(_name(record["metric"]), record["higher_is_better"] is True, _figure(record["value"]), rungs)
        except (TypeError, KeyError, ValueError, OverflowError):
            return None
        return made if 0 < len(rungs) <= MOST_RUNGS else None

    @property
    def n_passed(self) -> int:
        """How many rungs are passed, from the lowest without a gap."""
        passed = [self.value > rung.bar if self.higher_is_better else self.value < rung.bar for rung in self.rungs]
        return passed.index(False) if False in passed else len(passed)

    @property
    def summary(self) -> str:
        """`RMSE 0.9050: 3 of 4 rungs passed (lower is better)`."""
        better = "higher" if self.higher_is_better else "lower"
        passed = f"{self.n_passed} of {len(self.rungs)} rungs passed"
        return f"{self.metric} {self.value:.4f}: {passed} ({better} is better)"

    def lines(self) -> list[str]:
        """The ladder in text, the highest rung first, with the model between the rungs."""
        width = max(len(rung.name) for rung in self.rungs)
        side = "above" if self.higher_is_better else "below"
        lines = [
            f"{PASSED if place < self.n_passed else NOT_PASSED} {rung.name:<{width}}  {side} {rung.bar:.4f}, "
            f"{rung.points:g} {'point' if rung.points == 1 else 'points'}"
            for place, rung in enumerate(self.rungs)
        ]
        lines.insert(self.n_passed, f"{HERE} {'you':<{width}}  {'':>5} {self.value:.4f}")
        return lines[::-1]

    def figure(self) -> str:
        """The ladder as SVG in the colour of the page's text; what is passed is solid, and has a tick."""
        height = 2 * EDGE + GAP * (len(self.rungs) - 1)
        levels = [height - EDGE - GAP * place for place in range(len(self.rungs))]
        side = "above" if self.higher_is_better else "below"
        parts = [f'<path d="M12 4V{height - 4}M44 4V{height - 4}" stroke="currentColor" stroke-opacity=".45"/>']
        for place, (rung, y) in enumerate(zip(self.rungs, levels, strict=True)):
            passed = place < self.n_passed
            look = f'stroke="{GREEN}" stroke-width="4"' if passed else 'stroke="currentColor" stroke-dasharray="4 4"'
            mark = PASSED if passed else NOT_PASSED
            parts.append(f'<path d="M12 {y}H44" {look}/>{_text(54, y, f"{mark} {rung.name}")}')
            parts.append(_text(WIDTH, y, f"{side} {rung.bar:.3f}", "end"))
        y = height - EDGE + GAP / 2 - GAP * self.n_passed
        parts.append(f'<path d="M28 {y - 7}l7 7-7 7-7-7z" fill="{ORANGE}"/>{_text(54, y, "you", weight=700)}')
        parts.append(_text(WIDTH, y, f"{self.value:.3f}", "end", weight=700))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}" fill="currentColor" '
            f'style="width:100%;max-width:{WIDTH}px;height:auto;font-size:12px">'
            f"<title>{html.escape(self.summary)}</title><desc>{html.escape('; '.join(self.lines()))}</desc>"
            f"{''.join(parts)}</svg>"
        )


def _text(x: float, y: float, text: str, anchor: str = "start", weight: int = 400) -> str:
    place = f'x="{x}" y="{y + 4}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text {place} aria-hidden="true">{html.escape(text)}</text>'


def _name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_LETTERS or not value.isprintable():
        raise ValueError("no name")
    return value


def _figure(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no figure")
    return float(value)
