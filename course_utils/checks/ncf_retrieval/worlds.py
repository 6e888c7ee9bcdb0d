"""Lesson 02: what several of its checks share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from course_utils.checks.expect import Finding, expect_close


def met(rng: np.random.Generator, n_users: int, n_items: int, share: float) -> np.ndarray:
    """(n_users, n_items) bool: who has met what; everybody at least two items, and at most two thirds of all."""
    seen = rng.random((n_users, n_items)) < rng.uniform(0.3, 1.7, (n_users, 1)) * share
    for user in range(n_users):
        items = rng.permutation(n_items)
        seen[user, items[:2]] = True
        seen[user, items[2 : 2 + n_items // 3]] = False
    return seen


def encoded(user_ids: np.ndarray, item_ids: np.ndarray, n_users: int, n_items: int):
    """Pairs as the lesson's `train` and `test` hold them. Dense ids are raw ids less 100 and less 1000."""
    from course_utils.interactions import EncodedRatings, IdMap

    n = len(user_ids)
    return EncodedRatings(
        user_ids=np.array(user_ids, dtype=np.int64),
        item_ids=np.array(item_ids, dtype=np.int64),
        ratings=np.ones(n, dtype=np.float32),
        timestamps=np.arange(n, dtype=np.int64),
        positions=np.arange(n, dtype=np.int64),
        users=IdMap(np.arange(n_users) + 100),
        items=IdMap(np.arange(n_items) + 1000),
    )


def rank_of(target: float, others: np.ndarray) -> float:
    """The rank of a score among others, from 1: the middle of the places that its equals could take."""
    places = np.flatnonzero(np.sort(np.append(others, target))[::-1] == target) + 1
    return float(places.mean())


def recognise(seen, mistakes: Mapping[str, np.ndarray | float], otherwise: str, atol: float = 1e-5) -> str:
    """The first slip whose result is what came back; else the last argument."""
    return next((slip for slip, result in mistakes.items() if expect_close(seen, result, atol=atol).ok), otherwise)


def as_whole_numbers(value) -> np.ndarray | None:
    """The value as an array of whole numbers, whatever holds them; None for anything else."""
    try:
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        if array.dtype.kind in "iu":
            return array.astype(np.int64)
        if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.round(array)).all():
            return array.astype(np.int64)
    except Exception:  # an object of a student may raise anything when it is looked at
        return None
    return None


def first_failure(findings: Iterable[Finding]) -> Finding | None:
    """The first finding that failed; None if there is none."""
    return next((finding for finding in findings if not finding.ok), None)


def worth(share: float, finding: Finding, saw: str) -> Finding:
    """The finding, but a failure leaves this share of the points standing."""
    if finding.ok:
        return finding
    fields = ("call", "came_back", "expected", "slip")
    return Finding(share, saw=saw, **{name: getattr(finding, name) for name in fields})
