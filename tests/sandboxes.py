"""Notebooks in a sandbox, and what they leave behind on the machine."""

import contextlib
import os
import shutil
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.grading.sandbox import cgroups
from course_utils.grading.sandbox.settings import Limits, Sandbox
from course_utils.running.runner import Settings, execute

MB = 2**20
REPO = Path(__file__).resolve().parents[1]

needs_bubblewrap = pytest.mark.skipif(
    not shutil.which("bwrap"), reason="bubblewrap is not installed (apt-get install bubblewrap)"
)


def run(*sources: str, sandbox: Sandbox | None = None, **settings):
    """The texts that the cells show, errors by their name and value, and how the run ended."""
    text = nbformat.writes(new_notebook(cells=[new_code_cell(textwrap.dedent(source)) for source in sources]))
    executed, outcome = execute(text, Settings(sandbox=sandbox or Sandbox(), **settings))
    return [shown(cell.outputs) for cell in nbformat.reads(executed, as_version=4).cells], outcome


def shown(outputs: list) -> str:
    return "".join(o.get("text") or o.get("data", {}).get("text/plain") or f"{o.ename}: {o.evalue}" for o in outputs)


def limited(forked: bool = True, **limits: int) -> Sandbox:
    return Sandbox(Limits(**limits), warm=forked)


def own_groups() -> list[Path]:
    """The control groups that this process has made and not removed."""
    place = cgroups.find_place()
    parents = set(place.parents.values()) if place else ()
    return [group for parent in parents for group in parent.glob(f"course-{os.getpid()}-*")]


def sleeping(mark: str) -> int:
    """How many processes of this machine sleep for that many seconds: a number to know them by."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(path.read_bytes())
    return sum(command == f"sleep\0{mark}\0".encode() for command in commands)
