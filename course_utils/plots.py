"""The look of every figure, and the few figures that several lessons share.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), told apart by colour-blind readers too; a second
cue (marker, line style or label) always goes with them. The background is opaque: a figure reads the same on a light
and on a dark page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY = "#0072B2", "#D55E00", "#009E73", "#B0578D", "#B98000", "#3E9BCB"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY)
INK, GREY, PAPER = "#222222", "#6B6B6B", "#FFFFFF"
MARKERS = ("o", "s", "^", "D", "v", "P")

PLACES = (
    ((6, 0), "left"), ((-6, 0), "right"), ((0, 9), "center"), ((0, -9), "center"),
    ((5, 7), "left"), ((5, -7), "left"), ((-5, 7), "right"), ((-5, -7), "right"),
)  # fmt: skip
"""Where a name may stand beside its point on a map: the offset in points and the alignment, the best first."""
NAMES_APART, MOST_COVERED = 6, 0
"""Pixels that stay free around a name on a map, and how many points without a name it may cover."""


def use_house_style() -> None:
    """Set matplotlib's defaults for the figures of this course. Call it once, before the first figure."""
    plt.rcParams.update(
        {
            "figure.figsize": (7.2, 4.0),
            "figure.dpi": 110,
            "figure.facecolor": PAPER,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": PAPER,
            "axes.facecolor": PAPER,
            "axes.edgecolor": GREY,
            "axes.labelcolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 11.5,
            "axes.titleweight": "bold",
            "axes.titlepad": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.grid": True,
            "axes.prop_cycle": plt.cycler(color=PALETTE),
            "grid.color": "#E3E3E3",
            "grid.linewidth": 0.8,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "legend.frameon": False,
            "font.size": 10,
        }
    )


def learning_curves(
    runs: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    title: str,
    ylabel: str = "RMSE (stars)",
    rivals: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Train and test error after every epoch, one colour and marker a run.

    runs    name of the run -> {"train": (n_epochs,) floats, "test": (n_epochs,) floats}; either part may be missing
    rivals  name -> error, each drawn as a dotted level to compare with
    ax      where to draw; a new figure by default
    """
    ax = ax or plt.subplots()[1]
    handles = []
    for number, (name, parts) in enumerate(runs.items()):
        unknown = set(parts) - {"train", "test"}
        if unknown:
            raise ValueError(f'run "{name}" has the parts {sorted(unknown)}; known parts are train and test')
        colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
        for part, style in (("train", "--"), ("test", "-")):
            values = np.asarray(parts.get(part, ()), dtype=float)
            epochs = np.arange(1, len(values) + 1)
            ax.plot(epochs, values, style, color=colour, marker=marker if part == "test" else None)
        handles.append(Line2D([], [], color=colour, marker=marker, label=name))
    handles += [
        Line2D([], [], color=GREY, linestyle="-", label="test"),
        Line2D([], [], color=GREY, linestyle="--", label="train"),
    ]
    ax.set(xlabel="epoch", ylabel=ylabel, title=title)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.02, -0.14), ncols=min(len(handles), 5))
    draw_levels(ax, rivals or {})
    return ax


def draw_levels(ax: Axes, levels: Mapping[str, float]) -> None:
    """Dotted horizontal lines with their names in the right margin, moved apart where they would overlap."""
    for level in levels.values():
        ax.axhline(level, color=GREY, linestyle=":", zorder=1)
    low, high = ax.get_ylim()
    place = -np.inf
    for name, level in sorted(levels.items(), key=lambda item: item[1]):
        place = max(level, place + 0.05 * (high - low))
        ax.annotate(
            f"{name} {level:.3f}",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
            color=GREY,
            annotation_clip=False,
        )


def ladder(
    rivals: Mapping[str, float | Sequence[float]],
    *,
    title: str,
    yours: Mapping[str, float | Sequence[float]] | None = None,
    xlabel: str = "test RMSE (stars), lower is better",
    highest_on_top: bool = False,
) -> Axes:
    """Named results from the worst at the bottom to the best on top: mean, spread, and each single value.

    rivals  name -> one figure, or (n_runs,) of them, one for each seed or split
    yours   the reader's own results in the same form, drawn in another colour and marker
    highest_on_top  whether higher is better, as for hit rates

    The dot is the mean; the bar reaches one standard deviation (of the single runs, n - 1) to either side.
    """
    rows = [(name, np.atleast_1d(np.asarray(values, dtype=float)), False) for name, values in rivals.items()]
    rows += [(name, np.atleast_1d(np.asarray(values, dtype=float)), True) for name, values in (yours or {}).items()]
    empty = [name for name, values, _ in rows if not len(values)]
    if empty or not rows:
        raise ValueError(f"no results to draw{f' for {empty}' if empty else ''}")
    rows.sort(key=lambda row: row[1].mean(), reverse=not highest_on_top)
    figure, ax = plt.subplots(figsize=(7.2, 1.2 + 0.36 * len(rows)))
    for height, (_, values, own) in enumerate(rows):
        colour, marker = (ORANGE, "D") if own else (BLUE, "o")
        if len(values) > 1:
            ax.plot(values, np.full(len(values), height), "|", color=colour, alpha=0.45, markersize=8)
            ax.hlines(height, *(values.mean() + values.std(ddof=1) * np.array([-1, 1])), color=colour, linewidth=2)
        ax.plot(values.mean(), height, marker, color=colour, markersize=7)
        ax.annotate(
            f"{values.mean():.3f}",
            (1.01, height),
            xycoords=("axes fraction", "data"),
            va="center",
            color=colour if own else INK,
            fontweight="bold" if own else "normal",
            annotation_clip=False,
        )
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    for label, (_, _, own) in zip(ax.get_yticklabels(), rows, strict=True):
        label.set(color=ORANGE if own else INK, fontweight="bold" if own else "normal")
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.margins(x=0.06)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel=xlabel)
    figure.suptitle(title, x=0.01, ha="left", fontsize=plt.rcParams["axes.titlesize"], fontweight="bold")
    return ax


def labelled_map(
    points: np.ndarray,
    groups: Sequence[str],
    labels: Mapping[int, str],
    *,
    title: str,
    order: Sequence[str] | None = None,
) -> Axes:
    """Points in the plane without units, a colour and a marker a group, and names beside as many as there is room for.

    points  (n, 2) float
    groups  (n,) the group of each point
    labels  row -> name, the most important first; a name that would touch another, or cover a point that has a name or
            more than MOST_COVERED others, is left out
    order   the groups as the legend lists them, at most as many as the palette has colours; sorted by default
    """
    order = list(order or sorted(set(groups)))
    unknown = set(groups) - set(order)
    if unknown or len(order) > len(PALETTE):
        raise ValueError(f"groups {sorted(unknown)} are not in the order, or {len(order)} groups are too many")
    figure, ax = plt.subplots(figsize=(9.2, 7.4))
    groups = np.asarray(groups)
    for group, colour, marker in zip(order, PALETTE, MARKERS, strict=False):
        own = groups == group
        ax.scatter(*points[own].T, s=26, color=colour, marker=marker, alpha=0.75, linewidths=0, label=group)
    ax.set(xticks=[], yticks=[], title=title)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=3)
    figure.draw_without_rendering()  # fixes the layout, so that the room that a name takes is known
    dots, inside, taken = ax.transData.transform(points), ax.get_window_extent(), []
    for row, name in labels.items():
        places = []
        for offset, align in PLACES:
            text = ax.annotate(name, points[row], offset, textcoords="offset points", ha=align, va="center", fontsize=8)
            box = text.get_window_extent()
            text.remove()
            apart = not any(box.padded(NAMES_APART).overlaps(other) for other in taken)
            named = any(box.overlaps(_around(dots[other], 4)) for other in labels)
            if apart and not named and inside.x0 < box.x0 and box.x1 < inside.x1:
                covered = ((dots > box.min - 1) & (dots < box.max + 1)).all(axis=1).sum()
                places.append((covered, len(places), offset, align, box))
        if places and min(places)[0] <= MOST_COVERED:
            _, _, offset, align, box = min(places)
            text = ax.annotate(name, points[row], offset, textcoords="offset points", ha=align, va="center", fontsize=8)
            text.set_path_effects([withStroke(linewidth=2.5, foreground=PAPER)])
            taken.append(box)
            ax.plot(*points[row], "o", color="none", markeredgecolor=INK, markersize=7, markeredgewidth=0.9)
    return ax


def _around(point: np.ndarray, reach: float) -> Bbox:
    """The square of pixels around a point."""
    return Bbox([point - reach, point + reach])
