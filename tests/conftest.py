"""What all tests share: a fresh generator each, no network, and genuine data only where it is at hand."""

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy and torch are imported: tests must not fight over the cores

import numpy as np
import pytest
from pytest_socket import socket_allow_hosts

HERE_ONLY = ["127.0.0.1", "::1"]  # Jupyter kernels and test servers; a connection to any other address is refused


def pytest_runtest_setup(item: pytest.Item) -> None:
    socket_allow_hosts(HERE_ONLY, allow_unix_socket=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
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


@pytest.fixture
def original() -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module of the original Spotlight: original("losses") is spotlight.losses."""
    import torch

    from course_utils.spotlight.original import why_missing

    if reason := why_missing():
        pytest.skip(reason)
    with torch.random.fork_rng(devices=[]):  # it reseeds torch's global generator
        yield lambda name: importlib.import_module(f"spotlight.{name}")
