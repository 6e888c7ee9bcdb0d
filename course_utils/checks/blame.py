"""Whose code it was: the line that raised, whether it was a stub, and the cells that an answer was written in."""

from __future__ import annotations

import hashlib
import inspect
import linecache
import os
import sys
import traceback
from pathlib import Path

PACKAGE_FOLDER = str(Path(__file__).resolve().parent.parent)


def blame(error: BaseException) -> str:
    """The innermost line of the student's own code in a traceback: `in forward, line 7: return u * v`; else empty."""
    for frame in reversed(after_the_probe(error)):
        if is_students(frame):
            line = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
            return f"in {frame.name}, line {frame.lineno}: {line}"
    return ""


def after_the_probe(error: BaseException) -> list[traceback.FrameSummary]:
    """The lines that led to an exception, without the first two: `Check.observe` and the probe."""
    return list(traceback.extract_tb(error.__traceback__))[2:]


def is_students(frame: traceback.FrameSummary) -> bool:
    """Whether a line of a traceback is in neither this package nor a library."""
    library = f"{os.sep}site-packages{os.sep}" in frame.filename or frame.filename.startswith(sys.base_prefix)
    return not library and not frame.filename.startswith(PACKAGE_FOLDER)


def is_stub(error: BaseException) -> bool:
    """Whether the answer itself raised NotImplementedError, as the stub does.

    torch raises it, too, where a module has no `forward`, and so does the stub of another exercise that is called.
    """
    frames = after_the_probe(error)
    students = [frame for frame in frames if is_students(frame)]
    return isinstance(error, NotImplementedError) and len(students) == 1 and students[0] is frames[-1]


def message_of(error: BaseException) -> str:
    """The exception's text on one line; a student's exception may raise another when it is asked for it."""
    try:
        return one_line(str(error))
    except Exception as problem:
        return f"(its text cannot be had: {type(problem).__name__})"


def one_line(text: str, width: int = 300) -> str:
    """The text on one line of at most `width` characters."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def cells_behind(answers: tuple) -> str:
    """Short digests of the notebook cells that functions and classes were written in, with blanks between.

    Empty if one of them does not come from a cell, or from one with magics: nobody can tell then whether it changed.
    """
    digests = []
    for answer in answers:
        functions = [f for f in (answer, *vars_of(answer)) if inspect.isfunction(f)]
        file = inspect.unwrap(functions[0]).__code__.co_filename if functions else ""
        entry = linecache.cache.get(file, ())
        source = "".join(entry[2]) if len(entry) == 4 and entry[1] is None else ""  # a file has a time in that place
        if not source or "get_ipython()" in source:
            return ""
        digests.append(digest_of(source))
    return " ".join(dict.fromkeys(digests))


def vars_of(answer: object) -> list:
    """What a class defines; nothing for anything else."""
    return list(vars(answer).values()) if isinstance(answer, type) else []


def digest_of(source: str) -> str:
    """Sixteen hexadecimal digits that change with the source of a cell, but for blank lines around it."""
    return hashlib.sha256(source.strip().encode("utf-8", "replace")).hexdigest()[:16]
