"""Lesson 01, the ladder: a model trained on ratings the student never saw, held against recorded rivals."""

from __future__ import annotations

import numpy as np

from course_utils.checks.framework import World, check
from course_utils.checks.ladder import Rung, bars, climb

# The margins follow from distances to the damped biases of the same split, in stars of RMSE: over 20 secret splits of
# ml-100k, none of them a recorded one, and over one split each of 10 synthetic worlds (mean ± standard deviation):
#
#     handed in              ml-100k            synthetic
#     global mean          +0.1843 ± 0.0031   +0.1690 ± 0.0102
#     Spotlight, n_iter=3  +0.0529 ± 0.0041   +0.0689 ± 0.0070
#     item means           +0.0840 ± 0.0028   +0.0949 ± 0.0069
#     damped biases         0                  0
#     Spotlight, tuned     -0.0251 ± 0.0027   -0.0170 ± 0.0039
#     the lesson's answer  -0.0355 ± 0.0012   -0.0356 ± 0.0030
#
# A right answer must pass and a rival handed in must miss its own rung, both by more than 3.1 standard deviations (1 in
# 1,000). With these margins the rivals miss theirs by 3.6 or more, and the answer passes the top rung by 4.1 or more,
# which leaves room for answers with slightly worse settings. The exception is the top rung's own rival: tuned Spotlight
# misses that rung by 1.5 (ml-100k) and 1.7 (synthetic). Asking more would fail right answers for luck; as it is, tuned
# Spotlight gets this one point by luck once in 15 splits of ml-100k.
RUNGS = (
    Rung("the global mean", "global_mean", points=1, margin=0.05),
    Rung("Spotlight as published (n_iter=3)", "spotlight", points=1, margin=0.025),
    Rung("damped biases", "damped_biases", points=1, margin=0.005),
    Rung("Spotlight at its best", "spotlight_tuned", points=1, margin=0.0065),
)


def ladder_world(rng: np.random.Generator) -> World:
    """A random 80/20 split of the course's data set; users and items are numbered anew, in random order."""
    from course_utils import movielens, splits
    from course_utils.interactions import encode

    dataset = movielens.default_name()
    bars(dataset, RUNGS)  # before anybody trains for nothing
    ratings = movielens.load(dataset).ratings
    train, test = splits.random_split(ratings, 0.2, rng=rng)
    everything = encode(ratings)
    n_users, n_items = everything.n_users, everything.n_items
    new_user, new_item = rng.permutation(n_users), rng.permutation(n_items)
    public, secret = {"n_users": n_users, "n_items": n_items, "dataset": dataset}, {}
    for name, table in (("train", train), ("test", test)):
        part = encode(table, everything.users, everything.items)
        public[f"{name}_user_ids"] = new_user[part.user_ids]
        public[f"{name}_item_ids"] = new_item[part.item_ids]
        (public if name == "train" else secret)[f"{name}_ratings"] = part.ratings
    return World(public=public, secret=secret, held_out=test["position"].to_numpy())


@check(
    points=sum(rung.points for rung in RUNGS),
    call="predict_stars(train, user_ids, item_ids, n_users, n_items)",
    world=ladder_world,
)
def ladder(predict_stars, world):
    """Train on four fifths of the ratings, predict the rest."""
    import torch

    from course_utils.training import RatingTensors

    def tensors(part, *names):
        return [torch.as_tensor(getattr(world, f"{part}_{name}")) for name in names]

    train = RatingTensors(*tensors("train", "user_ids", "item_ids", "ratings"))
    return {"scores": predict_stars(train, *tensors("test", "user_ids", "item_ids"), world.n_users, world.n_items)}


@ladder.judge
def _(seen, world):
    yield from climb(seen["scores"], world, RUNGS)
