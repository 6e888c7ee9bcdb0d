"""From a notebook that ran to one verdict per check cell. Today the verdict stands among the cell's outputs."""

from __future__ import annotations

import math

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import is_grade, is_solution

from course_utils.checks.verdict import VERDICT_MIME, Verdict, number
from course_utils.grading.runner import TIMEOUT_NAME, Outcome

MEMORY_SIGNS = ("MemoryError", "can't allocate memory", "not enough memory")


def exercise_of(grade_id: str) -> str:
    """`01-4-mf` for `check-01-4-mf` and `answer-01-4-mf`: the name that a reader knows the exercise by."""
    return grade_id.partition("-")[2]


def check_cells(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    """The cells that a machine marks, with their places."""
    cells = enumerate(notebook.cells)
    return [(index, cell) for index, cell in cells if is_grade(cell) and not is_solution(cell)]


def verdicts_of(notebook: NotebookNode, outcome: Outcome) -> dict[str, Verdict]:
    """Grade id to verdict of every check cell of an executed notebook; its status may also be timeout or memory."""
    return {
        cell.metadata.nbgrader["grade_id"]: verdict_at(index, notebook, outcome)
        for index, cell in check_cells(notebook)
    }


def verdict_at(index: int, notebook: NotebookNode, outcome: Outcome) -> Verdict:
    """The verdict of the check cell at that place of an executed notebook."""
    cell = notebook.cells[index]
    wanted = f"ex-{exercise_of(cell.metadata.nbgrader['grade_id'])}"
    answers = (c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == wanted)
    return verdict_of(cell, next(answers, None), outcome if index >= outcome.reached else None)


def verdict_of(cell: NotebookNode, answer: NotebookNode | None, never_ran: Outcome | None) -> Verdict:
    """The verdict of one check cell.

    answer     the cell that the exercise is solved in, if the notebook has it
    never_ran  how the run ended, if it ended before this cell did
    """
    name = exercise_of(cell.metadata.nbgrader["grade_id"])
    most = float(cell.metadata.nbgrader["points"])
    if never_ran:
        return nothing(name, most, never_ran.status, f"There is no verdict: {never_ran.message}.")
    error = error_of(cell)
    shown = shown_verdict(cell, name, most)
    if shown and error and shown.status == "not_attempted":
        return shown
    if error:
        return verdict_on_error(name, most, error, answer)
    if not shown:
        return nothing(name, most, "error", "The check cell ran, but showed no verdict.")
    if shown.status == "error" and any(sign in shown.came_back for sign in MEMORY_SIGNS):
        return Verdict(**{**shown_fields(shown), "status": "memory"})
    return shown


def verdict_on_error(name: str, most: float, error: NotebookNode, answer: NotebookNode | None) -> Verdict:
    """The verdict of a check cell that raised: if the exercise's own cell had raised before, that is the reason."""
    first = error_of(answer) if answer is not None else None
    place, cause = ("The exercise's cell", first) if first else ("The check cell", error)
    text = f"{cause.ename}: {' '.join(str(cause.evalue).split())[:300]}"
    if cause.ename == TIMEOUT_NAME:
        return nothing(name, most, "timeout", f"{place} ran too long and was {cause.evalue}.")
    if cause.ename == "NotImplementedError":
        return nothing(name, most, "not_attempted", "Still to do.")
    status = "memory" if any(sign in text for sign in MEMORY_SIGNS) else "error"
    return nothing(name, most, status, f"{place} raised {text}.")


def error_of(cell: NotebookNode) -> NotebookNode | None:
    """The cell's error among its outputs; a timeout before any other."""
    errors = [o for o in cell.get("outputs", []) if o.output_type == "error"]
    return next((o for o in errors if o.ename == TIMEOUT_NAME), errors[0] if errors else None)


def shown_verdict(cell: NotebookNode, name: str, most: float) -> Verdict | None:
    """The verdict among a check cell's outputs: its last value, or what an untouched stub showed before it stopped."""
    records = [(o.output_type, o.data.get(VERDICT_MIME)) for o in cell.outputs if "data" in o]
    values = [record for kind, record in records if kind == "execute_result" and isinstance(record, dict)]
    displays = [record for kind, record in records if kind == "display_data" and isinstance(record, dict)]
    for record in (*values[-1:], *displays[-1:]):
        try:
            verdict = Verdict.from_dict(record)
            points = float(verdict.points)
        except (TypeError, ValueError):
            continue
        if math.isnan(points):
            continue
        texts = {key: str(getattr(verdict, key)) for key in ("saw", "called", "came_back", "expected", "slip")}
        points = min(max(points, 0.0), most)
        return Verdict(name, points=points, max_points=most, status=str(verdict.status), **texts)
    return None


def shown_fields(verdict: Verdict) -> dict:
    return {key: value for key, value in verdict.as_dict().items() if key != "message"}


def nothing(name: str, most: float, status: str, reason: str) -> Verdict:
    """No points, and why."""
    return Verdict(name, points=0.0, max_points=most, status=status, slip=reason)


def write_verdict(cell: NotebookNode, verdict: Verdict) -> None:
    """Make the verdict the cell's only word: its card for people, and the number that nbgrader reads.

    What the cell printed stays, as standard output: nbgrader takes standard error for a failure.
    """
    printed = [o for o in cell.outputs if o.output_type == "stream"]
    for output in printed:
        output.name = "stdout"
    card = new_output("display_data", {"text/html": verdict.card(), "text/plain": str(verdict)})
    value = {"text/plain": number(verdict.points), VERDICT_MIME: verdict.as_dict()}
    cell.outputs = [*printed, card, new_output("execute_result", value, execution_count=cell.execution_count)]
