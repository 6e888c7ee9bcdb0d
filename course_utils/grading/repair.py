"""From the cells a student handed in to a notebook that nbgrader and a kernel can take.

Trusted code, run before the kernel starts. Nothing of the submission is kept but its cells' types and sources: locked
cells come from the released notebook, metadata too. Each thing that was out of the ordinary is noted in words.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.utils import is_grade, is_locked, is_solution

from course_utils.running.reading import Unreadable

DEFINITION = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]+)?=", re.MULTILINE)
KINDS = {"check": "the check cell", "ex": "the exercise's cell", "answer": "the answer's cell"}


@dataclass
class Repaired:
    """A submission made fit to run.

    notebook  the notebook, without outputs
    tampered  grade ids of cells that were locked, or worth points, and had been changed
    notes     grade id to what was found and mended there; the key "" holds what concerns no exercise
    """

    notebook: NotebookNode
    tampered: set[str] = field(default_factory=set)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def note(self, grade_id: str, text: str) -> None:
        """Note something about a cell: the text goes on from "the check cell", "the exercise's cell" and the like."""
        kind = KINDS.get(grade_id.partition("-")[0], "the cell")
        self.notes.setdefault(grade_id, []).append(f"{kind} {text}")


def repair(submitted: NotebookNode, released: NotebookNode) -> Repaired:
    """Put the student's cells into the released notebook's frame.

    submitted  the notebook as `reading` gives it
    released   the student edition of the lesson, untouched
    Raises Unreadable if the notebook holds none of the lesson's exercises.
    """
    named = {cell.metadata.nbgrader["grade_id"]: cell for cell in released.cells if "nbgrader" in cell.metadata}
    cells = [plain(cell) for cell in submitted.cells]
    repaired = Repaired(NotebookNode(copy.deepcopy({**released, "cells": []})))
    found = match_cells(cells, named, released, repaired)
    if not found:
        raise Unreadable("the notebook holds none of this lesson's exercises; is it another lesson's?")
    place = {index: grade_id for grade_id, index in found.items()}
    used: set[str] = set()
    for index, cell in enumerate(cells):
        grade_id = place.get(index)
        new = mend(cell, grade_id, named[grade_id], repaired) if grade_id else without_metadata(cell)
        if not grade_id:
            wish = cell.id if re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell.id) else "cell"
            new.id = next(name for name in names_from(wish) if name not in used and name not in named)
        used.add(new.id)
        repaired.notebook.cells.append(new)
    restore_deleted(repaired, released)
    return repaired


def plain(cell: NotebookNode) -> NotebookNode:
    """What counts of a submitted cell."""
    return NotebookNode(
        cell_type=cell.cell_type,
        source=cell.source,
        nbgrader=cell.metadata.get("nbgrader", {}),
        attachments=cell.get("attachments"),
        id=cell.id,
    )


def match_cells(
    cells: list[NotebookNode], named: dict[str, NotebookNode], released: NotebookNode, repaired: Repaired
) -> dict[str, int]:
    """Which submitted cell stands for which cell of the lesson: grade id to place.

    By the nbgrader metadata; where that is lost by the cell's id, the source, the names that the cell defines, or (a
    free response) the cell before it.
    """
    claims: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        if cell.nbgrader.get("grade_id") in named:
            claims.setdefault(cell.nbgrader["grade_id"], []).append(index)
    found = {}
    for grade_id, places in claims.items():
        found[grade_id] = pick(cells, places, named[grade_id])
        if len(places) > 1:
            repaired.note(grade_id, f"was there {len(places)} times; one was taken")
    for grade_id, original in named.items():
        if grade_id in found:
            continue
        free = [index for index in range(len(cells)) if index not in found.values()]
        index = next((i for i in free if resembles(cells, i, grade_id, original, released)), None)
        if index is not None:
            found[grade_id] = index
            repaired.note(grade_id, "had lost its nbgrader metadata; it was recognised by its content")
    return found


def pick(cells: list[NotebookNode], places: list[int], original: NotebookNode) -> int:
    """Of several copies of a cell: of a locked one the last that is unchanged, of another the last that is changed."""
    want_same = is_locked(original)
    fitting = [i for i in places if (cells[i].source.strip() == original.source.strip()) == want_same]
    return (fitting or places)[-1]


def resembles(cells: list[NotebookNode], index: int, grade_id: str, original: NotebookNode, released) -> bool:
    """Whether a cell without nbgrader metadata is the lesson's cell `grade_id`."""
    cell = cells[index]
    if cell.id == grade_id or cell.source.strip() == original.source.strip():
        return True
    if cell.source.strip() in {other.source.strip() for other in released.cells}:
        return False  # another cell of the lesson, as it was handed out
    if not is_solution(original) or cell.cell_type != original.cell_type:
        return False
    if cell.cell_type == "code":
        wanted = definitions(original.source)
        return bool(wanted) and wanted <= definitions(cell.source)
    order = [c.source.strip() for c in released.cells]
    before = released.cells.index(original) - 1
    return index > 0 and before >= 0 and cells[index - 1].source.strip() == order[before]


def definitions(source: str) -> set[str]:
    """The names that a cell defines at its top level."""
    return {a or b for a, b in DEFINITION.findall(source)}


def mend(cell: NotebookNode, grade_id: str, original: NotebookNode, repaired: Repaired) -> NotebookNode:
    """The lesson's cell with, where it is the student's to write, the student's source."""
    new = copy.deepcopy(original)
    changes = []
    if is_locked(original) and cell.source.strip() != original.source.strip():
        changes.append("is locked and had been edited")
    if is_locked(original) and cell.cell_type != original.cell_type:
        changes.append(f"is locked and had been turned into a {cell.cell_type} cell")
    points = cell.nbgrader.get("points", original.metadata.nbgrader.get("points"))
    if is_grade(original) and points != original.metadata.nbgrader["points"]:
        changes.append(f"had its points changed to {str(points)[:20]}")
    if changes:
        repaired.tampered.add(grade_id)
        repaired.note(grade_id, f"{' and '.join(changes)}; the original was put back")
    if not is_locked(original):
        new.source = cell.source
        if cell.cell_type != original.cell_type:
            repaired.note(grade_id, f"had been turned into a {cell.cell_type} cell; it was turned back")
        if new.cell_type == "markdown" and cell.attachments:
            new.attachments = cell.attachments
    return new


def without_metadata(cell: NotebookNode) -> NotebookNode:
    """A cell of the student's own, or one of the lesson's that carries no mark."""
    make = {"code": new_code_cell, "markdown": new_markdown_cell}.get(cell.cell_type, new_raw_cell)
    new = make(source=cell.source)
    if cell.cell_type == "markdown" and cell.attachments:
        new.attachments = cell.attachments
    return new


def names_from(stem: str):
    """`stem`, `stem-2`, `stem-3` and so on, at most 64 letters long."""
    yield stem
    number = 2
    while True:
        yield f"{stem[:56]}-{number}"
        number += 1


def restore_deleted(repaired: Repaired, released: NotebookNode) -> None:
    """Put back deleted cells of the lesson's frame, each behind the cell that it follows there.

    The frame is all that nbgrader knows, and the imports and settings, which everything needs. An exercise's own cell
    is put back only if its names are defined nowhere else: a stub must not undo an answer.
    """
    cells = repaired.notebook.cells
    imports_and_settings = [c for c in released.cells if c.cell_type == "code" and "nbgrader" not in c.metadata][:2]
    previous = -1
    for original in released.cells:
        same = (i for i, cell in enumerate(cells) if cell.id == original.id or cell.source == original.source)
        index = next(same, None)
        needed = "nbgrader" in original.metadata or original in imports_and_settings
        if index is None and needed and not answered_elsewhere(original, cells):
            index = previous + 1
            cells.insert(index, copy.deepcopy(original))
            if "nbgrader" in original.metadata:
                repaired.note(original.metadata.nbgrader["grade_id"], "had been deleted; it was put back")
            else:
                repaired.note("", "of imports or of settings had been deleted or changed; it was put back")
        previous = previous if index is None else index


def answered_elsewhere(original: NotebookNode, cells: list[NotebookNode]) -> bool:
    """Whether what an exercise's cell defines is defined by another cell."""
    if not is_solution(original) or is_grade(original):
        return False
    elsewhere = set().union(*(definitions(cell.source) for cell in cells if cell.cell_type == "code"))
    return bool(definitions(original.source) & elsewhere)
