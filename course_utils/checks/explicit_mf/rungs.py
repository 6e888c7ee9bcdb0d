"""Lesson 01, the ladder: a model trained on ratings the student never saw, held against recorded rivals."""

from __future__ import annotations

import numpy as np

from course_utils.checks.framework import World, check
from course_utils.checks.ladder import Rung, climb

RUNGS = (
    Rung("the global mean", "global_mean", points=1, margin=0.05),
    Rung("Spotlight as published (n_iter=3)", "spotlight", points=1, margin=0.01),
    Rung("damped biases", "damped_biases", points=1, margin=0.005),
    Rung("Spotlight at its best", "spotlight_tuned", points=1, margin=0.0),
)


def ladder_world(rng: np.random.Generator) -> World:
    """A random 80/20 split of the course's data set; users and items are numbered anew, in random order."""
    from course_utils import movielens, splits
    from course_utils.interactions import encode

    dataset = movielens.default_name()
    ratings = movielens.load(dataset).ratings
    train, test = splits.random_split(ratings, 0.2, rng=rng)
    everything = encode(ratings)
    n_users, n_items = everything.n_users, everything.n_items
    new_user, new_item = rng.permutation(n_users), rng.permutation(n_items)
    public, secret = {"n_users": n_users, "n_items": n_items, "dataset": dataset}, {}
    for name, part in (("train", train), ("test", test)):
        part = encode(part, everything.users, everything.items)
        public[f"{name}_user_ids"] = new_user[part.user_ids]
        public[f"{name}_item_ids"] = new_item[part.item_ids]
        (public if name == "train" else secret)[f"{name}_ratings"] = part.ratings
    return World(public=public, secret=secret)


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
