"""NCF as a command: shares of the positives that fit together, and the same code on two processes."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def ncf():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        spec = importlib.util.spec_from_file_location("benchmark_ncf", BENCHMARKS / "ncf.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def epoch(ncf, positives, own: int, n_shares: int, number: int) -> list[np.ndarray]:
    """Users, items and labels that one of the processes trains on in an epoch."""
    seen = ncf.SeenItems(positives.user_ids, positives.item_ids, positives.n_users, positives.n_items)
    data = ncf.SharedPairs(positives, seen, batch_size=32)
    data.trainer = SimpleNamespace(world_size=n_shares, global_rank=own, current_epoch=number)
    batches = list(data.train_dataloader())
    return [np.concatenate([batch[column].numpy() for batch in batches]) for column in range(3)]


def test_processes_share_the_positives_evenly_and_draw_negatives_of_their_own(ncf, rng):
    known = rng.choice(20 * 50, 301, replace=False)
    positives = ncf.Positives(known // 50, known % 50, 20, 50)
    shares = [epoch(ncf, positives, own, 3, 0) for own in range(3)]
    assert [len(labels) for *_, labels in shares] == [500, 500, 500]  # 100 positives each, one of 301 left out
    dealt = [users[labels == 1] * 50 + items[labels == 1] for users, items, labels in shares]
    assert len(np.unique(np.concatenate(dealt))) == 300
    assert np.isin(np.concatenate(dealt), known).all()
    drawn = [users[labels == 0] * 50 + items[labels == 0] for users, items, labels in shares]
    assert not np.isin(np.concatenate(drawn), known).any()
    assert not np.array_equal(drawn[0], drawn[1])


def test_the_next_epoch_deals_anew_and_draws_afresh(ncf, rng):
    known = rng.choice(20 * 50, 301, replace=False)
    positives = ncf.Positives(known // 50, known % 50, 20, 50)
    first, second = (epoch(ncf, positives, 0, 3, number) for number in (0, 1))
    for label in (0, 1):
        pairs = [
            np.sort(users[labels == label] * 50 + items[labels == label]) for users, items, labels in (first, second)
        ]
        assert not np.array_equal(*pairs)


def test_the_latest_item_of_every_user_is_held_back(ncf, monkeypatch):
    monkeypatch.setattr(ncf, "made_up", lambda *sizes: ncf.Positives(np.array([0, 1, 0, 1, 1]), np.arange(5), 2, 5))
    train, users, targets = ncf.read("made-up", 1.0)
    assert dict(zip(users.tolist(), targets.tolist(), strict=True)) == {0: 2, 1: 4}
    assert train.item_ids.tolist() == [0, 1, 3]


def test_the_same_command_trains_on_two_processes(tmp_path):
    flags = ["--dataset", "synthetic", "--user-share", "0.2", "--epochs", "1"]
    flags += ["--accelerator", "cpu", "--devices", "2", "--strategy", "ddp"]
    environment = os.environ | {"COLUMNS": "120", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "ncf.py"), *flags],
        capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 processes on cpu" in done.stdout
    assert done.stdout.count("ItemPop") == 1  # the second process reports nothing
    assert list(tmp_path.iterdir()) == []  # and nothing is left behind
