"""The ladder gives the points of the rungs that a model's RMSE has passed."""

import numpy as np
import pytest

from course_utils.checks import ladder
from course_utils.checks.expect import Finding
from course_utils.checks.framework import World
from course_utils.checks.ladder import Rung, climb

RUNGS = tuple(Rung(name, name, points=points, margin=0) for name, points in (("low", 1), ("middle", 2), ("high", 1)))


@pytest.fixture
def rated(monkeypatch, rng) -> World:
    """200 test ratings for which the damped biases are off by some amount; rungs 0.5 and 0.2 above it, 0.05 below."""
    monkeypatch.setattr(ladder, "bars", lambda dataset, rungs: np.array([0.5, 0.2, -0.05]))
    n = 400
    ids = {"user_ids": rng.integers(0, 20, n), "item_ids": rng.integers(0, 30, n)}
    stars = rng.integers(1, 6, n).astype(np.float32)
    parts = {
        f"{part}_{name}": ids[name][rows]
        for part, rows in (("train", slice(200)), ("test", slice(200, n)))
        for name in ids
    }
    public = {**parts, "train_ratings": stars[:200], "n_users": 20, "n_items": 30, "dataset": "made up"}
    return World(public=public, secret={"test_ratings": stars[200:]})


def climb_with(rated: World, off_by: float) -> Finding:
    """The last finding on scores that are all off by the biases' RMSE plus something."""
    world = rated.for_judge()
    model = ladder.DampedBiases().fit(
        world.train_user_ids, world.train_item_ids, world.train_ratings, n_users=20, n_items=30
    )
    biases_rmse = ladder.rmse(world.test_ratings, model.predict(world.test_user_ids, world.test_item_ids))
    *_, last = climb(world.test_ratings.astype(float) + biases_rmse + off_by, world, RUNGS)
    return last


@pytest.mark.parametrize(
    ("off_by", "share", "words"),
    [
        (0.6, 0.0, "for the next rung (1 more): low"),
        (0.4, 0.25, "for the next rung (2 more): middle"),
        (0.1, 0.75, "for the next rung (1 more): high"),
        (-0.09, 1.0, ""),
    ],
)
def test_points_are_those_of_the_rungs_that_are_passed(rated, off_by, share, words):
    finding = climb_with(rated, off_by)
    assert finding.share == share
    assert words in finding.expected


def test_a_rung_counts_only_above_all_rungs_below_it(rated, monkeypatch):
    monkeypatch.setattr(ladder, "bars", lambda dataset, rungs: np.array([0.5, -9.0, 0.4]))
    assert climb_with(rated, 0.1).share == 0.25


def test_held_out_ratings_that_were_looked_up_are_worth_nothing(rated):
    finding = climb_with(rated, -0.11)
    assert finding.share == 0
    assert finding.slip == "The held-out ratings were looked up, not predicted."
