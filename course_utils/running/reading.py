"""From the bytes that a student handed in to cells that are safe to look at. Trusted code, before any kernel starts.

A small file can cost its reader much: a million empty cells, parts of wrong types, halves of characters. What a grader
has no use for (outputs, most metadata) is dropped before it is looked at.
"""

from __future__ import annotations

import json
import logging
import re
import warnings
from pathlib import Path

import nbformat
from nbformat import NotebookNode

MAX_BYTES = 50_000_000
MAX_TEXT = 10_000_000
"""Characters in all cells together."""

MAX_CELLS = 2_000
MAX_PARTS = 3_000_000
"""Lists and objects in a file; each takes some hundred bytes of memory, however few it takes in the file."""


class Unreadable(Exception):
    """Why a submitted file cannot be graded, in words for its student."""


def read_submission(path: Path) -> tuple[bytes, NotebookNode]:
    """The file's bytes, and what it holds as a notebook of nbformat 4, without outputs. Raises Unreadable."""
    if path.is_symlink():
        raise Unreadable(f"{path.name} is a symbolic link; hand in the notebook itself")
    size = path.stat().st_size
    if size > MAX_BYTES:
        text = f"{path.name} has {size / 1e6:.0f} MB, more than the {MAX_BYTES / 1e6:.0f} MB that are read"
        raise Unreadable(f"{text}; clear its outputs and hand it in again")
    data = path.read_bytes()
    return data, parse_notebook(data, path.name)


def parse_notebook(data: bytes, name: str) -> NotebookNode:
    """The bytes as a notebook of nbformat 4, without outputs. Raises Unreadable."""
    content = parse_json(data, name)
    if not isinstance(content, dict) or not isinstance(content.get("cells", content.get("worksheets")), list):
        raise Unreadable(f"{name} is JSON, but not a notebook: it has no list of cells")
    if "cells" not in content:
        content = upgraded(content, name)
    refuse_more(name, len(content["cells"]), MAX_CELLS, "cells")
    notebook = nbformat.from_dict(slim(content["cells"]))
    refuse_more(name, sum(len(cell.source) for cell in notebook.cells), MAX_TEXT, "letters in its cells")
    return notebook


def refuse_more(name: str, number: int, most: int, what: str) -> None:
    if number > most:
        raise Unreadable(f"{name} has {number:,} {what}, more than the {most:,} that are read")


def parse_json(data: bytes, name: str) -> object:
    """What the file holds. Raises Unreadable."""
    refuse_more(name, data.count(b"{") + data.count(b"["), MAX_PARTS, "parts")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} is not a notebook: it is not text in UTF-8") from error
    except json.JSONDecodeError as error:
        what = "is empty" if not data.strip() else f"is not JSON (line {error.lineno}: {error.msg})"
        raise Unreadable(f"{name} is not a notebook: it {what}") from error
    except RecursionError as error:
        raise Unreadable(f"{name} is not a notebook: it is nested too deeply") from error
    except ValueError as error:
        raise Unreadable(f"{name} is not a notebook: it holds a number that is too long") from error


def upgraded(content: dict, name: str) -> dict:
    """A notebook of an earlier format, which has worksheets, as nbformat 4. Raises Unreadable."""
    logger = logging.getLogger("traitlets")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # nbformat logs what it finds invalid; it is dropped below
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return nbformat.reads(json.dumps(content), as_version=4)
    except Exception as error:  # an odd file may break nbformat anywhere
        raise Unreadable(f"{name} is not a notebook that can be read: {type(error).__name__}: {error}") from error
    finally:
        logger.setLevel(level)


def slim(cells: list) -> dict:
    """A notebook of what a grader has a use for, each part of the type that it should have.

    Of each cell its type, source, id, nbgrader's metadata, and the pictures attached to it; of the notebook no more.
    """
    kept, ids = [], set()
    for number, cell in enumerate(cells):
        if isinstance(cell, dict):
            cell = slim_cell(cell)
            if cell["id"] in ids or not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"]):
                cell["id"] = f"cell-{number}"
            ids.add(cell["id"])
            kept.append(cell)
    return {"cells": kept, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def slim_cell(cell: dict) -> dict:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(str(line) for line in source)
    kind = cell.get("cell_type")
    kept = {
        "cell_type": kind if kind in ("code", "markdown", "raw") else "raw",
        "id": str(cell.get("id", "")),
        "metadata": {},
        "source": whole(source if isinstance(source, str) else str(source)),
    }
    if kept["cell_type"] == "code":
        kept |= {"execution_count": None, "outputs": []}
    elif pictures := attachments_of(cell):
        kept["attachments"] = pictures
    data = cell.get("metadata")
    data = data.get("nbgrader") if isinstance(data, dict) else None
    if isinstance(data, dict):
        plain = {name: value for name, value in data.items() if isinstance(value, str | int | float | bool)}
        kept["metadata"]["nbgrader"] = {
            whole(name): whole(value) if isinstance(value, str) else value for name, value in plain.items()
        }
    return kept


def attachments_of(cell: dict) -> dict[str, dict[str, str]]:
    """File name to kind to the picture in base64."""
    found = {}
    given = cell.get("attachments")
    for name, kinds in given.items() if isinstance(given, dict) else ():
        texts = kinds.items() if isinstance(kinds, dict) else ()
        pictures = {kind: text for kind, text in texts if kind.startswith("image/") and isinstance(text, str)}
        if pictures:
            found[whole(name)] = {whole(kind): whole(text) for kind, text in pictures.items()}
    return found


def whole(text: str) -> str:
    """The text, with a question mark for each half of a character: no file can hold those."""
    return text.encode("utf-8", "replace").decode()
