"""The grader's side of the checks: worlds that nobody has seen, what a kernel may see of them, and the judging.

All of it follows from one secret seed, so that a submission that is graded again gets the same mark. What a kernel gets
is a folder with the public part of each world, and an edition of the data set without the ratings held out in them.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from course_utils import movielens
from course_utils.checks.framework import WORLDS_VARIABLE, Check, World
from course_utils.checks.verdict import Verdict
from course_utils.editions import make_edition, write_edition
from course_utils.errors import CourseError
from course_utils.running.verdicts import check_cells


@dataclass(frozen=True)
class Exam:
    """What one lesson is graded on; small, hashable, and never shown to a kernel.

    checks   (grade id of the check cell, "module:name" of its check), one for each check cell
    dataset  a name that movielens.load knows
    seed     the run's secret
    """

    checks: tuple[tuple[str, str], ...]
    dataset: str
    seed: int


def exam_of(released: NotebookNode, dataset: str, seed: int) -> Exam:
    """The exam of a lesson, from its student edition. Raises CourseError if a check cell does not call one check."""
    modules = imported_names(released)
    checks = []
    for _, cell in check_cells(released):
        grade_id = cell.metadata.nbgrader["grade_id"]
        calls = [node.func for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call)]
        names = [
            (modules[call.value.id], call.attr)
            for call in calls
            if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id in modules
        ]
        names = [(module, name) for module, name in names if isinstance(find_check(module, name), Check)]
        if len(names) != 1:
            raise CourseError(f"{grade_id} must call one check of a module that the notebook imports: {cell.source!r}")
        checks.append((grade_id, ":".join(names[0])))
    return Exam(tuple(checks), dataset, seed)


def imported_names(notebook: NotebookNode) -> dict[str, str]:
    """Name to module, of what a notebook's code cells import as modules."""
    names = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                names |= {alias.asname or alias.name: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def find_check(module: str, name: str) -> object:
    """The attribute of a module; None if there is no such module or attribute."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


def worlds_of(exam: Exam) -> dict[str, World]:
    """Grade id to the world that its check is graded on. Raises CourseError if one cannot be made."""
    worlds = {}
    with data_of(exam):
        for grade_id, name in exam.checks:
            check = find_check(*name.split(":"))
            try:
                worlds[grade_id] = check.world(derived(exam.seed, f"world of {check.key}"))
            except Exception as problem:  # otherwise everybody would fail the check, and for no fault of theirs
                raise CourseError(f"{grade_id} cannot be graded on {exam.dataset}: {problem}") from problem
    return worlds


@contextlib.contextmanager
def data_of(exam: Exam) -> Iterator[None]:
    """Within it, movielens.load gives the data that worlds are made of."""
    seed = derived(exam.seed, "data set")
    names = {"COURSE_DATASET": exam.dataset, movielens.SYNTHETIC_SEED_VARIABLE: str(seed)}
    before = {name: os.environ[name] for name in names if name in os.environ}
    os.environ |= names
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]
        os.environ |= before


class Examiner:
    """An exam's worlds, its judges, and the folder that kernels see. Made once a process, by `examiner`."""

    def __init__(self, exam: Exam):
        self.exam = exam
        self.checks = {grade_id: find_check(*name.split(":")) for grade_id, name in exam.checks}
        self.worlds = worlds_of(exam)
        with data_of(exam):
            data = movielens.load(exam.dataset)
        held_out = [world.held_out for world in self.worlds.values() if world.held_out is not None]
        held_out = np.concatenate(held_out) if held_out else np.empty(0, dtype=np.int64)
        edition = make_edition(*data, held_out, np.random.default_rng(derived(exam.seed, "edition")))
        self._folder = tempfile.TemporaryDirectory(prefix="course-exam-", ignore_cleanup_errors=True)
        Path(self._folder.name).chmod(0o755)  # a sandbox that root starts runs as another user
        write_edition(self.data / exam.dataset, *edition)
        self.public.mkdir()
        for grade_id, world in self.worlds.items():
            check = self.checks[grade_id]
            packed = world.pack_public(derived(exam.seed, f"probe of {check.key}") % 2**32)  # all that NumPy takes
            (self.public / f"{check.key}.npz").write_bytes(packed)

    @property
    def data(self) -> Path:
        """The kernel's COURSE_DATA_DIR."""
        return Path(self._folder.name) / "data"

    @property
    def public(self) -> Path:
        """The folder with the public part of each world."""
        return Path(self._folder.name) / "worlds"

    @property
    def binds(self) -> dict[str, str]:
        """What a sandbox must show: path outside to path inside."""
        return {str(folder): str(folder) for folder in (self.data, self.public)}

    @property
    def environment(self) -> dict[str, str]:
        """What kernels need to know."""
        folders = {"COURSE_DATA_DIR": str(self.data), WORLDS_VARIABLE: str(self.public)}
        return {"COURSE_DATASET": self.exam.dataset, **folders}

    def judge(self, grade_id: str, observation: bytes) -> Verdict:
        """The verdict on what a check cell left."""
        return self.checks[grade_id].conclude(observation, self.worlds[grade_id])


def examiner(exam: Exam) -> Examiner:
    """The examiner of an exam; a process that grades many submissions makes it once, whichever thread asks first."""
    with making:
        return made(exam)


making = threading.Lock()
made = functools.lru_cache(maxsize=4)(Examiner)


def derived(seed: int, purpose: str) -> int:
    """A seed of 128 bits for one purpose, the same in every process.

    By a cryptographic hash: a kernel sees what was drawn with some of these seeds, and may have minutes to try others.
    """
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:16])
