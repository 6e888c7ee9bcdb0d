"""Lesson 00: errors in stars, means and biases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from course_utils.checks.expect import expect_array, expect_close, expect_returned, likely, returned
from course_utils.checks.framework import World, check
from course_utils.checks.tables import STARS

# float32 arithmetic stays within 1e-5 stars of the exact value; the smallest mistake below moves some value by more
# than a hundredth of a star.
ATOL = 1e-4


def rmse_world(rng: np.random.Generator) -> World:
    unit = rng.uniform(0.11, 0.17)  # below 0.2, where the mean of the squares would equal its root
    errors = np.repeat([1, -1, 7, -7], [14, 6, 14, 6])  # mean square (1 + 49) / 2 = 25: an RMSE of 5 units
    ratings = rng.choice(STARS, 40)
    public = {"ratings": ratings, "scores": ratings + unit * rng.permutation(errors)}
    return World(public=public | {"rating": ratings[:1], "score": ratings[:1] - 2 * unit}, secret={"unit": unit})


@check(points=1, call="rmse(ratings, scores)", world=rmse_world)
def rmse(rmse, world):
    """The root of the mean squared error, in stars."""
    return {
        "value": rmse(world.ratings.copy(), world.scores.copy()),
        "perfect": rmse(world.ratings.copy(), world.ratings.copy()),
        "alone": rmse(world.rating.copy(), world.score.copy()),
    }


@rmse.judge
def _(seen, world):
    unit, n = world.unit, len(world.ratings)
    mistakes = {
        "That is the mean of the squares: take its square root to get back to stars.": 25 * unit**2,
        "That is the mean absolute error: square each error before taking the mean.": 4 * unit,
        "That is the root of the sum: take the mean of the squares, not their sum.": 5 * unit * n**0.5,
        "That is the mean of the errors, where too high and too low cancel: square each error first.": abs(
            (world.ratings - world.scores).mean()
        ),
        "That is the standard deviation of the errors: it forgives a model that is always too high.": (
            world.ratings - world.scores
        ).std(),
    }
    slip = likely(seen["value"], mistakes, "Error of each rating, squared; the mean of all; its square root.")
    saw = f"{n} errors of {unit:.3f} and {7 * unit:.3f} stars, an RMSE of {5 * unit:.3f}."
    yield expect_close(seen["value"], 5 * unit, atol=ATOL, slip=slip, saw=saw)
    yield expect_close(seen["perfect"], 0.0, atol=ATOL, call="rmse(ratings, ratings)", slip="No errors, so 0.")
    alone = "rmse of one rating and a score that is too low"
    yield expect_close(seen["alone"], 2 * unit, atol=ATOL, call=alone, slip="The RMSE of one error is its size.")


def means_world(rng: np.random.Generator) -> World:
    n_items = int(rng.integers(9, 13))
    counts = 2 * rng.integers(1, 6, n_items)
    counts[[3, n_items - 2, n_items - 1]] = 0  # items that nobody rated, two of them with the largest ids
    counts[1] = 1
    means = rng.choice(np.arange(3, 10) / 2, n_items)
    means[:3] = 1.5, 2.0, 4.5  # not all alike
    counts[[0, 2]] = 2, 12  # so that the mean of the means is not the mean of the ratings
    items = np.repeat(np.arange(n_items), counts)
    place = np.arange(len(items)) - np.repeat(np.cumsum(counts) - counts, counts)
    away = np.where(counts[items] == 1, 0.0, 0.5 * (-1.0) ** place)  # pairs around the item's mean
    order = rng.permutation(len(items))
    public = {"item_ids": items[order], "ratings": (means[items] + away)[order], "n_items": n_items}
    return World(public=public, secret={"means": means, "counts": counts})


@check(points=1, call="item_means(item_ids, ratings, n_items)", world=means_world)
def item_means(item_means, world):
    """The mean rating of each item, the mean of all ratings for items that nobody rated."""
    return {"means": item_means(world.item_ids.copy(), world.ratings.copy(), world.n_items)}


@item_means.judge
def _(seen, world):
    rated, means = world.counts > 0, world.means
    overall = means @ world.counts / world.counts.sum()
    expected = np.where(rated, means, overall)
    slip = "One mean for each item number from 0 to n_items - 1, rated or not."
    if np.shape(seen["means"]) == expected.shape:
        slip = "0 ratings divided by 0 is no number: give items that nobody rated the mean of all ratings."
    yield expect_array(seen["means"], shape=expected.shape, slip=slip)
    mistakes = {
        "Nobody rated is not everybody hated: give such an item the mean of all ratings, not 0.": np.where(
            rated, means, 0
        ),
        "Items that nobody rated get the mean of all ratings, in which an item with many ratings counts for more; "
        "that is the mean of the items' means.": np.where(rated, means, means[rated].mean()),
        "The mean of all ratings is for the items that nobody rated; the others have their own.": np.full(
            world.n_items, overall
        ),
        "Those are sums: divide by the number of ratings.": np.where(rated, means * world.counts, overall),
    }
    slip = likely(seen["means"], mistakes, "Sum and number of the ratings of each item, one divided by the other.")
    saw = f"{rated.sum()} items have their own mean, {(~rated).sum()} unrated ones the overall {overall:.3f}."
    yield expect_close(seen["means"], expected, atol=ATOL, slip=slip, saw=saw)


def biases_world(rng: np.random.Generator) -> World:
    n_users, n_items = 8, 11
    filled = rng.random((n_users, n_items)) < 0.45
    filled[0, :6] = filled[:5, 0] = True
    filled[-1], filled[:, -1] = False, False  # a user and an item without ratings
    users, items = np.nonzero(filled)
    taste = 3.2 + rng.normal(0, 0.7, n_users)[users] + rng.normal(0, 0.9, n_items)[items]
    ratings = np.clip(np.round(taste + rng.normal(0, 0.5, len(users))), 1, 5)
    ratings[:6] = 5, 1, 4, 5, 2, 5
    order = rng.permutation(len(users))
    public = {"user_ids": users[order], "item_ids": items[order], "ratings": ratings[order]}
    return World(public=public | {"n_users": n_users, "n_items": n_items, "damping": float(rng.integers(4, 14)) / 2})


@check(points=2, call="damped_biases(user_ids, item_ids, ratings, n_users, n_items, damping)", world=biases_world)
def damped_biases(damped_biases, world):
    """How far each item, then each user, lies from what was expected, drawn towards 0 by the damping."""
    arrays = world.user_ids.copy(), world.item_ids.copy(), world.ratings.copy()
    answer = damped_biases(*arrays, world.n_users, world.n_items, world.damping)
    return returned(answer, "mean", "item_biases", "user_biases")


@damped_biases.judge
def _(seen, world):
    yield expect_returned(seen, "3 values: mean, item_biases, user_biases")
    users, items, n_users, n_items, damping = (
        world.user_ids,
        world.item_ids,
        world.n_users,
        world.n_items,
        world.damping,
    )
    mean = world.ratings.mean()
    rest = world.ratings - mean
    yield expect_close(seen["mean"], mean, atol=ATOL, slip="The first value is the mean of all ratings.")
    shape = "One bias for each number from 0 to n - 1; whoever has no rating has the bias 0."
    if np.shape(seen["item_biases"]) == (n_users,) and np.shape(seen["user_biases"]) == (n_items,):
        shape = "The biases are in the other order: mean, item biases, user biases."
    yield expect_array(seen["item_biases"], shape=(n_items,), call="item_biases of damped_biases(...)", slip=shape)
    item_biases = ridge(items, rest, n_items, damping)
    mistakes = {
        "Nothing is damped: add the damping to the number of ratings.": ridge(items, rest, n_items, 1e-9),
        "Those are means of the ratings; a bias is measured from the mean of all.": ridge(
            items, world.ratings, n_items, damping
        ),
        "Those are the items' biases after the users'; the text goes by items first.": ridge(
            items, rest - ridge(users, rest, n_users, damping)[users], n_items, damping
        ),
        "Those are sums: divide by the number of ratings plus the damping.": np.bincount(items, rest, n_items),
    }
    slip = likely(seen["item_biases"], mistakes, "Sum of (rating - mean) of the item, over its ratings plus damping.")
    yield expect_close(seen["item_biases"], item_biases, atol=ATOL, call="item_biases of damped_biases(...)", slip=slip)
    left = rest - item_biases[items]
    mistakes = {
        "Those biases are measured from the mean alone: subtract the items' biases first.": ridge(
            users, rest, n_users, damping
        ),
        "Nothing is damped: add the damping to the number of ratings.": ridge(users, left, n_users, 1e-9),
        "Those are sums: divide by the number of ratings plus the damping.": np.bincount(users, left, n_users),
    }
    slip = likely(seen["user_biases"], mistakes, "What the mean and the items' biases leave over, summed and damped.")
    saw = f"{n_items} item biases from the mean, then {n_users} user biases from what is left, damped by {damping:g}."
    call, expected = "user_biases of damped_biases(...)", ridge(users, left, n_users, damping)
    finding = expect_array(seen["user_biases"], shape=(n_users,), call=call, slip=shape)
    if finding.came_back == "None":
        finding = replace(finding, slip="The third value is None: the user biases are still to do.")
    if finding.ok:
        finding = expect_close(seen["user_biases"], expected, atol=ATOL, call=call, slip=slip)
    if finding.ok:
        yield replace(finding, saw=saw)
    else:  # the items' half is right
        yield replace(finding, share=0.5, saw="The mean and the items' biases are right.")


def ridge(ids: np.ndarray, targets: np.ndarray, n: int, damping: float) -> np.ndarray:
    """(n,) the b with the least sum of (target - b[id])² plus damping times the sum of b²: a damped mean of each id."""
    columns = np.vstack([np.eye(n)[ids], np.sqrt(damping) * np.eye(n)])
    return np.linalg.lstsq(columns, np.concatenate([targets, np.zeros(n)]), rcond=None)[0]
