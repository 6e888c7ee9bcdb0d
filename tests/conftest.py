"""What all tests share: a fresh generator each, no network, and genuine data only where it is at hand."""

import dataclasses
import functools
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and torch are imported: tests must not fight over the cores

import nbformat
import numpy as np
import pytest
import toy_course
from browsing import CHROMIUM, SLOWEST, outside
from nbgrader import api
from pytest_socket import socket_allow_hosts

from course_utils import cli, movielens, synthetic
from course_utils.baselines import recorded
from course_utils.grading.build import build
from course_utils.grading.course import find_course

LONGEST = ["test_known_submissions", "test_hostile", "test_lessons", "test_grading_runs", "test_workers"]
"""Modules that come first, or one of two processes would be left alone with one of them in the end."""

HERE_ONLY = ["127.0.0.1", "::1"]  # Jupyter kernels and test servers; a connection to any other address is refused


def pytest_runtest_setup(item: pytest.Item) -> None:
    socket_allow_hosts(HERE_ONLY, allow_unix_socket=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    data_dir = os.environ.get("COURSE_DATA_DIR")
    if data_dir and Path(data_dir).is_dir():
        return
    skip = pytest.mark.skip(reason="COURSE_DATA_DIR names no folder with genuine MovieLens files")
    for item in items:
        if "realdata" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def rng() -> np.random.Generator:
    """The same random numbers for each test, in whatever order the tests run."""
    return np.random.default_rng(20261122)


@pytest.fixture(scope="session", autouse=True)
def _alembic_answers_once() -> Iterator[None]:
    """For every new gradebook nbgrader starts a process that imports Alembic, only to hear the same version again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "get_alembic_version", functools.cache(api.get_alembic_version))
        yield


@pytest.fixture
def original() -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of the original Spotlight: original("losses") is spotlight.losses."""
    import torch

    from course_utils.spotlight.original import why_missing

    if reason := why_missing():
        pytest.skip(reason)
    with torch.random.fork_rng(devices=[]):  # it reseeds torch's global generator
        yield lambda name: importlib.import_module(f"spotlight.{name}")


@pytest.fixture
def own_cache(tmp_path, monkeypatch) -> Path:
    """The cache of data sets for this test alone: none sees, or leaves anything in, that of the person who runs it."""
    cache = tmp_path / "cache"
    monkeypatch.setattr(movielens, "_cache", lambda: cache)
    return cache


@pytest.fixture
def data_dir(tmp_path, monkeypatch) -> Path:
    """COURSE_DATA_DIR for this test alone; empty."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def small_archives(monkeypatch) -> None:
    """Every data set counts as whole with 4 ratings, 3 users and 3 films, as those of small_movielens have."""
    for name, archive in movielens.ARCHIVES.items():
        layout = dataclasses.replace(archive.layout, n_ratings=4, n_users=3, n_movies=3)
        monkeypatch.setitem(movielens.ARCHIVES, name, dataclasses.replace(archive, layout=layout))


@pytest.fixture
def small_world(monkeypatch, tmp_path) -> Path:
    """A recording of its own, on a small data set; returns the file."""
    world = synthetic.generate(n_users=60, n_items=300, n_ratings=2000)
    monkeypatch.setattr(movielens, "load", lambda name: movielens.MovieLens(world.ratings, world.movies))
    monkeypatch.setattr(recorded, "PATH", tmp_path / "recorded.json")
    return recorded.PATH


@pytest.fixture
def own_tmp(monkeypatch) -> Iterator[Path]:
    """A folder for temporary files that nobody else uses, with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="t-"))
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """Chromium, for one module: while it runs, nothing else in this thread can have an event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def expect():
    """Playwright's: it waits for what it is told, and with patience, as others may use the cores."""
    from playwright.sync_api import expect

    expect.set_options(timeout=SLOWEST)
    return expect


@pytest.fixture
def tab(browser) -> Iterator:
    """A tab in a fresh profile, as wide as a desktop's; `tab.complaints` collects what goes wrong in it."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(SLOWEST)
    tab.complaints = []
    tab.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.on("requestfailed", lambda request: tab.complaints.append(f"failed: {request.url}"))
    tab.on("request", lambda request: outside(request.url) and tab.complaints.append(f"asked for {request.url}"))
    yield tab
    context.close()


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """The toy course, built. Tests that change a course make one of their own."""
    folder = toy_course.make_course(tmp_path_factory.mktemp("course"))
    with pytest.MonkeyPatch.context() as patch:
        toy_course.importable(patch, folder)
        course = find_course(folder)
        build(course)
        yield course


@pytest.fixture(scope="session")
def student_edition(course):
    """The toy lesson as a student gets it."""
    return nbformat.read(course.notebooks / f"{toy_course.LESSON}.ipynb", as_version=4)


@pytest.fixture
def folders(tmp_path, student_edition) -> tuple[Path, Path]:
    """A class of two, one of them wrong: (submitted, out)."""
    toy_course.hand_in(tmp_path / "submitted", "ada", toy_course.answered(student_edition, why="It does."))
    toy_course.hand_in(tmp_path / "submitted", "bob", toy_course.answered(student_edition, double=toy_course.WRONG))
    return tmp_path / "submitted", tmp_path / "graded"


@pytest.fixture(scope="session")
def scheduler(course, tmp_path_factory) -> Iterator[str]:
    """The address of a Dask scheduler with two workers, each at an address of its own, all started by hand.

    Runs that share it are spared what workers cost to start.
    """
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    commands = [["scheduler", "--host", "127.0.0.1", "--port", "0", "--idle-timeout", "1800", *common]]
    for host in ("127.0.0.2", "127.0.0.3"):
        single = [
            "--no-nanny",
            "--nthreads",
            "1",
            "--death-timeout",
            "60",
            "--memory-limit",
            "0",
            "--local-directory",
            str(folder),
        ]
        commands.append(["worker", "--host", host, *single, *common])
    quiet = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False", "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s"}
    with (folder / "log").open("w") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *words],
                stdout=log,
                stderr=log,
                env={**os.environ, **quiet},  # or each would look around a hundred times a second
            )
            for what, *words in commands
        ]
    deadline = time.monotonic() + 60
    while not file.exists() or not file.read_text():
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.05)
    yield json.loads(file.read_text())["address"]
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def run(course, scheduler):
    """Grade and write the tables; returns {(student, exercise): row of grades.csv}."""
    from course_utils.grading.grade import Plan, grade  # here, because most tests need none of it
    from course_utils.grading.report import refresh

    def run(course, submitted: Path, out: Path, **settings) -> dict[tuple[str, str], dict]:
        settings = {"timeout": 60, "jobs": 2, "scheduler": scheduler} | settings
        refresh(grade(course, Plan(submitted, out, "synthetic", **settings)))
        return toy_course.read_csv(out)

    return run


@pytest.fixture
def one_line(course, monkeypatch, capsys):
    """Call the command in this process; it must fail. Returns its one line."""

    def call(*arguments: str, code: int = 1) -> str:
        monkeypatch.chdir(course.root)
        monkeypatch.setattr(sys, "argv", ["course", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert ended.value.code == code
        return line

    return call
