"""Budget, seeds, batches and threads."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from course_utils.training import batches, budget, seed_everything


@pytest.mark.parametrize(("value", "expected"), [(None, 20), ("full", 20), ("fast", 2)])
def test_budget_follows_the_environment(monkeypatch, value, expected):
    monkeypatch.delenv("COURSE_BUDGET", raising=False)
    if value is not None:
        monkeypatch.setenv("COURSE_BUDGET", value)
    assert budget(full=20, fast=2) == expected


@pytest.mark.parametrize(("value", "expected"), [(None, 2), ("full", 20)])
def test_under_validate_little_is_trained_unless_the_environment_asks_for_more(monkeypatch, value, expected):
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")
    test_budget_follows_the_environment(monkeypatch, value, expected)


def test_a_misspelt_budget_is_refused(monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "quick")
    with pytest.raises(ValueError, match="'quick'"):
        budget()


def test_the_same_seed_repeats_every_generator():
    def draws():
        generator = seed_everything(7)
        return random.random(), np.random.rand(), torch.rand(()).item(), torch.rand((), generator=generator).item()  # noqa: NPY002

    assert draws() == draws()


def test_batches_in_order_are_the_tensors_cut_in_pieces():
    pieces = list(batches(torch.arange(5), torch.arange(10, 15), batch_size=2))
    assert [(a.tolist(), b.tolist()) for a, b in pieces] == [([0, 1], [10, 11]), ([2, 3], [12, 13]), ([4], [14])]


def test_shuffled_batches_hold_every_row_once_and_keep_rows_together():
    ids = torch.arange(100)
    pieces = list(batches(ids, 3 * ids, batch_size=32, generator=torch.Generator().manual_seed(0)))
    seen = torch.cat([a for a, _ in pieces])
    assert [len(a) for a, _ in pieces] == [32, 32, 32, 4]
    assert not torch.equal(seen, ids)
    assert torch.equal(seen.sort().values, ids)
    assert all(torch.equal(b, 3 * a) for a, b in pieces)


def test_every_epoch_has_its_own_order():
    generator = torch.Generator().manual_seed(0)
    first, second = (next(batches(torch.arange(100), batch_size=100, generator=generator))[0] for _ in range(2))
    assert not torch.equal(first, second)


def test_no_rows_give_no_batches():
    assert list(batches(torch.empty(0), batch_size=4)) == []


@pytest.mark.parametrize(
    ("tensors", "batch_size", "message"),
    [
        ((torch.zeros(3), torch.zeros(2)), 1, r"\[3, 2\]"),
        ((), 1, r"\[\]"),
        ((torch.zeros(3),), 0, "got 0"),
    ],
)
def test_wrong_arguments_fail_at_the_call(tensors, batch_size, message):
    with pytest.raises(ValueError, match=message):
        batches(*tensors, batch_size=batch_size)


@pytest.mark.parametrize(("given", "threads"), [(None, "1"), ("2", "2")])
def test_threads_follow_the_environment_even_if_torch_was_imported_first(given, threads):
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    if given is not None:
        environment["OMP_NUM_THREADS"] = given
    code = "import torch; torch.set_num_threads(3); import course_utils.training; print(torch.get_num_threads())"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == threads
