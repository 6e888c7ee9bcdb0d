"""The ladder: a trained model is judged by held-out ratings, against rivals whose results are recorded.

How hard a split is varies, and with it everybody's RMSE; a fixed bar would let that luck decide. Each rung is therefore
kept as a *distance* from the damped biases of the very same split (a closed form, fitted in the judge), averaged over
the recorded splits. For a well-trained factorisation the distance varies about a third as much as the RMSE: standard
deviation 0.0012 against 0.0038 stars over 20 splits of ml-100k. It does not help a model whose own training is noisy:
for Spotlight with three epochs the figures are 0.0041 and 0.0052.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from course_utils.baselines import recorded
from course_utils.baselines.biases import DampedBiases
from course_utils.checks.expect import Finding, expect_array
from course_utils.checks.standing import Mark, Standing
from course_utils.checks.verdict import number
from course_utils.evaluation import rmse

TOO_GOOD = 0.10
"""Better than the damped biases by more stars of RMSE than this is no model's doing: the best that are published, with
time and side data, reach 0.06 on ml-100k. Who gets there has looked the held-out ratings up."""


@dataclass(frozen=True)
class Rung:
    """One step of a ladder.

    name    as it is said to a person
    model   the rival's name in the recorded results
    points  for passing it
    margin  in stars of RMSE: how much better than the rival's mean distance one must be; negative allows for luck
    """

    name: str
    model: str
    points: float
    margin: float


def bars(dataset: str, rungs: tuple[Rung, ...]) -> np.ndarray:
    """The RMSE each rung asks for, less the RMSE of the damped biases on the same split; (n_rungs,) float.

    raises  LookupError where no rivals are recorded for the data set
    """
    try:
        biases = recorded.values(dataset, "explicit", "damped_biases", "rmse")
        rivals = [recorded.values(dataset, "explicit", rung.model, "rmse") for rung in rungs]
    except KeyError as missing:
        raise LookupError(
            f"the ladder has no rivals on {dataset}; `course baselines {dataset} --task explicit` records them"
        ) from missing
    return np.array([np.mean(rival - biases) - rung.margin for rival, rung in zip(rivals, rungs, strict=True)])


def climb(seen, world, rungs: tuple[Rung, ...]) -> Iterator[Finding]:
    """Judge held-out scores; the share of the points is that of the rungs below the student's RMSE.

    seen   observation of the scores, (n_test,) float, in stars
    world  with train_* and test_* arrays, n_users, n_items, dataset, and the secret test_ratings
    """
    form = expect_array(seen, shape=world.test_ratings.shape, slip="One score for each test pair, in the pairs' order.")
    yield form
    if not form.ok:
        return
    biases = DampedBiases().fit(
        world.train_user_ids, world.train_item_ids, world.train_ratings, n_users=world.n_users, n_items=world.n_items
    )
    biases_rmse = rmse(world.test_ratings, biases.predict(world.test_user_ids, world.test_item_ids))
    student_rmse = rmse(world.test_ratings, np.asarray(seen, dtype=float))
    if student_rmse < biases_rmse - TOO_GOOD:
        yield Finding(
            0,
            came_back=f"scores whose RMSE is {student_rmse:.4f}",
            expected=f"{biases_rmse - TOO_GOOD:.4f} or more: no model is known that comes closer on this data",
            slip="The held-out ratings were looked up, not predicted.",
        )
        return
    wanted = biases_rmse + bars(str(world.dataset), rungs)
    passed = student_rmse < wanted
    n_passed = int(np.argmin(passed)) if not passed.all() else len(rungs)  # a rung counts only above all below it
    marks = tuple(Mark(rung.name, float(bar), rung.points) for rung, bar in zip(rungs, wanted, strict=True))
    place = Standing("RMSE", False, float(student_rmse), marks)
    points = sum(rung.points for rung in rungs[:n_passed])
    total = sum(rung.points for rung in rungs)
    saw = f"Test RMSE {student_rmse:.4f} on ratings your model had not seen: {n_passed} of {len(rungs)} rungs"
    saw += f", past {rungs[n_passed - 1].name}." if n_passed else "."
    if n_passed == len(rungs):
        yield Finding(1, saw=saw, ladder=place)
        return
    rung, bar = rungs[n_passed], wanted[n_passed]
    rival = bar + rung.margin
    yield Finding(
        points / total,
        saw=saw if n_passed else "",
        came_back=f"scores whose RMSE is {student_rmse:.4f}",
        expected=f"below {bar:.4f} for the next rung ({number(rung.points)} more): {rung.name} would get about "
        f"{rival:.4f} here, and a rung must be passed clearly",
        slip=likely_slip(np.asarray(seen, dtype=float), world.train_ratings, student_rmse),
        ladder=place,
    )


def likely_slip(scores: np.ndarray, train_ratings: np.ndarray, scores_rmse: float) -> str:
    """What scores (n,) that fell short look like, beside the stars (n_train,) of the training ratings."""
    low, high = float(train_ratings.min()), float(train_ratings.max())
    if np.ptp(scores) < 1e-3:
        return "All scores are the same: the ids do not reach the score, or nothing has been learnt."
    if not low <= scores.mean() <= high:
        return f"Scores are stars, from {low:g} to {high:g}; on average yours are not."
    if np.all(np.diff(scores) >= 0) or np.all(np.diff(scores) <= 0):
        return "The scores are sorted: keep them in the order of the pairs."
    if np.array_equal(scores, np.round(scores)):
        return "Whole stars only: a score may lie between two stars, and rounding costs accuracy."
    if scores_rmse > float(train_ratings.std()):
        return (
            "Worse than a constant. Does the model train on the ratings that are passed in, and not on the notebook's "
            "own? If so, it has learnt them by heart, as nothing holds it back: no regularisation."
        )
    return "Watch the test RMSE per epoch: too few epochs, no regularisation and too large a start all show there."
