"""Docstrings as reStructuredText: paragraphs and lists as they are, aligned columns and code kept in their columns.

The docstrings of this project are plain text, so that they read well in an editor and in help(). Sphinx would take an
asterisk or an underscore in them for markup, and run a table of arguments together into one paragraph.
"""

from __future__ import annotations

import re
from itertools import groupby

COLUMNS = re.compile(r"^ |\S {2,}\S")
"""A paragraph is kept as it is if this occurs in it: it is indented, or words stand in columns."""


def as_rest(lines: list[str]) -> list[str]:
    """The lines of a docstring, as reStructuredText that shows them."""
    rest: list[str] = []
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        if not blank:
            rest += [*paragraph(list(group)), ""]
    return rest


def paragraph(lines: list[str]) -> list[str]:
    """One paragraph: a block of its own if it has columns, else text, or a list whose items begin with a hyphen."""
    if not lines[0].startswith("- ") and any(COLUMNS.search(line) for line in lines):
        return [".. code-block:: none", "   :class: columns", "", *(f"   {line}" for line in lines)]
    # Split over the whole paragraph: what stands between backticks may go on in the next line.
    parts = "\n".join(lines).split("`")
    if len(parts) % 2 == 0:  # a lone backtick
        return escape("`".join(parts)).splitlines()
    text = "".join(rf"\ ``{part}``\ " if n % 2 else escape(part) for n, part in enumerate(parts))
    return text.splitlines()


def escape(text: str) -> str:
    """Text in which nothing is markup, but for hyphens at the beginning of a line."""
    return re.sub(r"([\\*_|`])", r"\\\1", text)
