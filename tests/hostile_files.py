"""Hostile submissions that no patch of cells can describe: files that are no notebooks, and notebooks whose frame was
changed. Beside them honest ones that look odd.

Each function makes one student's work in a folder of its own, from a notebook with right answers on the toy course. Its
docstring says what it tries, and its decorator which marks it must get: points, status, and words of the message, as
in a patch.
"""

import copy
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell
from toy_course import CLIMB, DOUBLE, LESSON, place

from course_utils.checks.framework import OBSERVATION_MIME
from course_utils.checks.verdict import VERDICT_MIME
from course_utils.grading.patches import Expectation

WRONG = "def double(values):\n    return values"
HALF = "half a character: \ud83d"
SCRIPT = "<script>alert('owned')</script><img src=x onerror=alert('owned')>"


@dataclass(frozen=True)
class Files:
    """One student's work: what makes it, and exercise to the mark that it must get."""

    make: Callable[[Path, NotebookNode], None]
    marks: dict[str, Expectation]


MADE: dict[str, Files] = {}
"""Student to work."""


def marked(double: tuple, ladder: tuple = (3.0, "ok"), honest: bool = False):
    def decorate(function: Callable) -> Callable:
        name = ("honest_" if honest else "") + function.__name__
        marks = {"00-1-double": double, "00-2-ladder": ladder}
        MADE[name] = Files(function, {key: Expectation(mark[0], mark[1], mark[2:]) for key, mark in marks.items()})
        return function

    return decorate


def unreadable(words: str):
    return marked((0, "unreadable", words), (0, "unreadable", words))


def write(folder: Path, work: NotebookNode | dict, file: str = f"{LESSON}.ipynb") -> None:
    (folder / file).write_text(json.dumps(work), encoding="utf-8")  # half characters as escapes


def solve(work: NotebookNode, source: str) -> None:
    work.cells[place(work, "ex-00-1-double")].source = source


# --- files that are no notebooks


@unreadable("is not JSON")
def cut_off(folder, work):
    """Half a file, so that the reader breaks."""
    text = json.dumps(work)
    (folder / f"{LESSON}.ipynb").write_text(text[: len(text) // 2])


@unreadable("not text in UTF-8")
def a_program(folder, work):
    """A program under the notebook's name."""
    (folder / f"{LESSON}.ipynb").write_bytes(b"\x7fELF" + bytes(range(256)) * 40)


@unreadable("nested too deeply")
def deeply_nested(folder, work):
    """Lists in lists, so that the reader's stack overflows."""
    (folder / f"{LESSON}.ipynb").write_text("[" * 10**6 + "]" * 10**6)


@unreadable("MB, more than")
def too_large(folder, work):
    """51 MB of blanks around a notebook, so that the reader's memory runs out."""
    (folder / f"{LESSON}.ipynb").write_text(json.dumps(work) + " " * 51_000_000)


@unreadable("cells")
def a_million_cells(folder, work):
    """A million cells in a file that is small enough to be read: each costs the grader much more than its student."""
    text = json.dumps(work)
    cells = '{"cell_type":"code","source":""},' * 10**6
    (folder / f"{LESSON}.ipynb").write_text(text.replace('"cells": [', '"cells": [' + cells, 1))


@unreadable("parts, more than")
def a_million_parts(folder, work):
    """A few cells with very many empty parts in what they show."""
    text = json.dumps({**work, "metadata": {"x": []}})
    (folder / f"{LESSON}.ipynb").write_text(text.replace('"x": []', '"x": [' + "{}," * 10**7 + "{}]", 1))


@unreadable("not a notebook")
def a_very_long_number(folder, work):
    """A number of a million digits, which takes a reader hours."""
    (folder / f"{LESSON}.ipynb").write_text('{"cells": [], "nbformat": ' + "9" * 10**6 + "}")


@unreadable("symbolic link")
def a_link_to_anothers_work(folder, work):
    """A link to the best work of the class."""
    (folder / f"{LESSON}.ipynb").symlink_to(f"../../victim/{LESSON}/{LESSON}.ipynb")


@unreadable("symbolic link")
def a_folder_that_is_a_link(folder, work):
    """A folder that is a link to another's."""
    folder.rmdir()
    folder.symlink_to(f"../victim/{LESSON}")


@marked((0, "missing", "found"), (0, "missing"))
def a_pipe(folder, work):
    """A named pipe, at which a reader waits for ever."""
    os.mkfifo(folder / f"{LESSON}.ipynb")


@unreadable("a folder, not a notebook")
def a_folder_by_the_name_of_a_file(folder, work):
    """A folder under the notebook's name."""
    (folder / f"{LESSON}.ipynb").mkdir()


# --- notebooks that are no valid ones


@marked((2, "ok", "all values doubled"))
def half_characters(folder, work):
    """Halves of characters, which no file can hold, wherever text may stand."""
    solve(work, f"{DOUBLE}  # {HALF}")
    work.cells.append(new_code_cell(f"# {HALF}"))
    work.cells.append(new_markdown_cell(HALF))
    work.cells[place(work, "answer-00-3-why")].source = HALF
    work.metadata["title"] = work.cells[0].metadata[HALF] = HALF
    write(folder, work)


@marked((2, "ok"))
def wrong_types(folder, work):
    """Cells, sources, ids and metadata of the wrong types."""
    work = json.loads(json.dumps(work))
    odd = [5, None, "x", [], {}, {"cell_type": 5, "source": {"a": 1}}, {"cell_type": "code", "source": [1, None]}]
    odd += [{"cell_type": "code", "metadata": {"nbgrader": 5}}, {"cell_type": "heading", "source": "x", "id": [1]}]
    odd += [{"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": ["a"], "points": {"a": 1}}}}]
    odd += [{"cell_type": "code", "source": "", "outputs": {"a": 1}, "execution_count": "x", "metadata": [1]}]
    write(folder, {**work, "cells": odd + work["cells"] + odd, "nbformat_minor": "x", "metadata": [1]})


@marked((2, "ok"))
def broken_attachments(folder, work):
    """Pictures attached to the written answer that are none, so that its feedback page cannot be written."""
    cell = work.cells[place(work, "answer-00-3-why")]
    cell.source = "![x](attachment:a.png) ![x](attachment:b.png) ![x](attachment:c) ![x](attachment:d)"
    cell["attachments"] = {"a.png": 5, "b.png": {"image/png": 5}, "c": {}, "d": {HALF: HALF}, "e": [], HALF: None}
    write(folder, work)


@marked((2, "ok"))
def an_old_format(folder, work):
    """A notebook that says it is of a format to come, and one of the past."""
    write(folder, {**work, "nbformat": 4, "nbformat_minor": 99, "orig_nbformat": 2})


# --- the frame


@marked((0, "tampered", "Twice each value."))
def edited_check(folder, work):
    """A check cell that gives its points away."""
    solve(work, WRONG)
    work.cells[place(work, "check-00-1-double")].source = "2"
    write(folder, work)


@marked((0, "tampered", "had its points changed to 1000000000"))
def raised_points(folder, work):
    """A check cell that is worth a billion points."""
    solve(work, WRONG)
    work.cells[place(work, "check-00-1-double")].metadata.nbgrader.points = 10**9
    write(folder, work)


@marked((0, "failed", "was there 3 times"))
def copied_check(folder, work):
    """Copies of a check cell that give the points away, before and behind it."""
    solve(work, WRONG)
    index = place(work, "check-00-1-double")
    copies = [copy.deepcopy(work.cells[index]) for _ in range(2)]
    for number, cell in enumerate(copies):
        cell.source, cell.id = "2", f"copy-{number}"
    work.cells[index:index] = copies[:1]
    work.cells.append(copies[1])
    write(folder, work)


@marked((0, "failed", "had been deleted; it was put back"), (3, "ok", "had been deleted; it was put back"))
def deleted_checks(folder, work):
    """No check cells, so that nothing is checked."""
    solve(work, WRONG)
    work.cells = [cell for cell in work.cells if not cell.id.startswith("check-")]
    write(folder, work)


@marked((0, "tampered", "Twice each value."), (3, "tampered"))
def replaced_checks(folder, work):
    """Check cells deleted, and cells of the student's under their ids, without metadata."""
    solve(work, WRONG)
    for grade_id in ("check-00-1-double", "check-00-2-ladder"):
        cell = new_code_cell("print('full marks')\n3.0")
        cell.id = grade_id
        work.cells[place(work, grade_id)] = cell
    write(folder, work)


@marked((0, "failed", "Twice each value."), (0, "failed"))
def reordered(folder, work):
    """All cells in the other order: checks before answers, imports last; behind them the first cells again."""
    solve(work, WRONG)
    work.cells[place(work, "ex-00-2-ladder")].source = "def climb():\n    return 0"
    first = copy.deepcopy(work.cells)
    work.cells.reverse()
    for number, cell in enumerate(first):
        cell.metadata, cell.id = {}, f"again-{number}"
    work.cells = first[:5] + work.cells
    write(folder, work)


@marked((0, "tampered", "turned into a raw cell"))
def retyped(folder, work):
    """A check cell that is text, so that it does not run."""
    solve(work, WRONG)
    cell = work.cells[place(work, "check-00-1-double")]
    cell.cell_type = "raw"
    del cell["outputs"], cell["execution_count"]
    write(folder, work)


@marked((0, "failed", "Twice each value."))
def forged_metadata(folder, work):
    """Cells of the student's own that are graded, worth much, and named as the lesson's and as nobody's."""
    solve(work, WRONG)
    graded = {"grade": True, "solution": False, "locked": True, "points": 10**9, "schema_version": 3, "task": False}
    for grade_id in ("check-00-4-more", "ex-00-1-double", "answer-00-3-why", "check-99-1-x", ""):
        cell = new_code_cell("1e9" if "ex" not in grade_id else WRONG)
        cell.metadata["nbgrader"] = {**graded, "grade_id": grade_id}
        work.cells.append(cell)
    write(folder, work)


@marked((0, "failed", "Twice each value."))
def locked_answer(folder, work):
    """The exercise's cell marked as locked and graded, with points of its own."""
    solve(work, WRONG)
    cell = work.cells[place(work, "ex-00-1-double")]
    cell.metadata.nbgrader.update(grade=True, locked=True, solution=False, points=50)
    write(folder, work)


@marked((0, "failed", "Twice each value."))
def outputs_of_its_own(folder, work):
    """Outputs that show full marks and leave observations, without anything having run."""
    solve(work, WRONG)
    fields = {"check": "double", "points": 2.0, "max_points": 2.0, "status": "ok"}
    for cell in work.cells:
        if cell.cell_type == "code":
            data = {"text/plain": "2", VERDICT_MIME: fields, OBSERVATION_MIME: "UEsFBgAA"}
            cell.outputs = [new_output("execute_result", data, execution_count=1)]
    write(folder, work)


@marked((2, "ok", "all values doubled"))
def a_kernel_of_its_own(folder, work):
    """Another language, with a command to start it."""
    command = {"argv": ["touch", "/tmp/owned"], "name": "x", "display_name": "x", "language": "bash"}
    work.metadata["kernelspec"] = command
    work.metadata["language_info"] = {"name": "bash", "file_extension": "/../../x", "mimetype": "text/html"}
    write(folder, work)


@marked((2, "ok"))
def scripts_in_text(folder, work):
    """Text that would run a script in the browser of whoever reads the feedback."""
    cell = new_raw_cell(SCRIPT)
    cell.metadata["raw_mimetype"] = "text/html"
    link = "[x](javascript:alert('owned')) ![x](javascript:alert('owned')) <svg/onload=alert('owned')>"
    work.cells += [cell, new_raw_cell(SCRIPT), new_markdown_cell(SCRIPT), new_markdown_cell(link)]
    work.cells[place(work, "answer-00-3-why")].source = f"{SCRIPT} {link} $\\unicode{{{SCRIPT}}}$"
    work.cells[0].metadata["tags"] = [f'" onclick="alert(1)" x="{SCRIPT}']
    work.cells[0].id = 'x" onclick="alert(1)'
    work.metadata["title"] = work.metadata["authors"] = SCRIPT
    write(folder, work)


@marked((2, "ok", "all values doubled"))
def flood_from_many_cells(folder, work):
    """80 cells that print 2 MB each: none too much, together more than the grader's memory should hold."""
    work.cells += [new_code_cell("print('x' * 1_900_000)") for _ in range(80)]
    write(folder, work)


# --- honest work that looks odd


@marked((2, "ok", "all values doubled"), honest=True)
def right(folder, work):
    """Nothing odd."""
    write(folder, work)


@marked((2, "ok", "all values doubled"), honest=True)
def talkative(folder, work):
    """Warnings and a progress bar on standard error."""
    lines = ("import sys, warnings", "from tqdm import tqdm", "def double(values):", "    warnings.warn('careful')")
    lines += ("    for _ in tqdm(range(50)):", "        pass", "    print('done', file=sys.stderr)")
    solve(work, "\n".join((*lines, "    return values + values")))
    write(folder, work)


@marked((2, "ok", "was there 2 times; one was taken"), honest=True)
def twice(folder, work):
    """An exercise's cell and its check copied by mistake, once as the stub."""
    index = place(work, "ex-00-1-double")
    copies = copy.deepcopy(work.cells[index : index + 2])
    copies[0].source = 'def double(values):\n    raise NotImplementedError("Replace this line")'
    work.cells[index:index] = copies
    write(folder, work)


@marked((2, "ok", "had lost its nbgrader metadata"), (3, "ok", "had lost its nbgrader metadata"), honest=True)
def stripped(folder, work):
    """Saved by a program that drops all metadata."""
    for number, cell in enumerate(work.cells):
        cell.metadata, cell.id = {}, f"x{number}"
    write(folder, work)


@marked((2, "ok", "had been deleted; it was put back"), honest=True)
def check_deleted(folder, work):
    """A check cell deleted by mistake."""
    del work.cells[place(work, "check-00-1-double")]
    write(folder, work)


@marked((2, "ok"), honest=True)
def renamed(folder, work):
    """Another file name, with letters of another land."""
    write(folder, work, "Übung 1 (końcowa wersja).ipynb")


@marked((2, "ok"), honest=True)
def renamed_in_latin_1(folder, work):
    """A file name from an archive of another system, whose bytes are no UTF-8."""
    path = os.fsencode(folder) + b"/\xdcbung.ipynb"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(work, file)


@marked((2, "ok"), honest=True)
def with_old_outputs(folder, work):
    """All outputs kept, one of them an error."""
    for cell in work.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("error", ename="E", evalue="x", traceback=["x"])]
    write(folder, work)


@marked((0, "not_attempted", "till to do"), (2, "failed", "stands on rung 2 of 3"), honest=True)
def half_done(folder, work):
    """One exercise left alone, one solved in part."""
    solve(work, 'def double(values):\n    raise NotImplementedError("Replace this line with your answer.")')
    work.cells[place(work, "ex-00-2-ladder")].source = CLIMB.replace("3", "2")
    write(folder, work)


def make(submitted: Path, name: str, work: NotebookNode) -> None:
    """Write one student's work below the folder of submissions."""
    folder = submitted / name / LESSON
    folder.mkdir(parents=True)
    MADE[name].make(folder, nbformat.from_dict(copy.deepcopy(work)))
