"""The command `course book`.

Typer and Rich are all that is imported before it runs, so that `course --help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console(highlight=False)


def book(
    out_folder: Annotated[Path | None, typer.Option("--out", help="Where to; book/_build if not given.")] = None,
) -> None:
    """Make the book, a site to read in a browser, from the executed solutions. Runs no notebook."""
    from course_utils.book.site import build
    from course_utils.grading.course import find_course

    with out.status("Building the book") as status:
        built = build(find_course(), out_folder, lambda page: status.update(f"Building the book: {page}"))
    for warning in built.warnings:
        typer.echo(warning, err=True)
    out.print(f"Open {built.index}", soft_wrap=True)
