"""Lesson 04: what a cluster's members say about each film, and means that few ratings do not carry away."""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect_array, expect_close, expect_returned, likely, returned
from course_utils.checks.framework import World, check
from course_utils.checks.tables import raw_ids
from course_utils.interactions import EncodedRatings, IdMap


def train_part(world) -> EncodedRatings:
    """The world's ratings as a lesson has them."""
    n = len(world.user_ids)
    return EncodedRatings(
        user_ids=world.user_ids.copy(),
        item_ids=world.item_ids.copy(),
        ratings=world.ratings.copy(),
        timestamps=np.arange(n),
        positions=np.arange(n),
        users=IdMap(world.raw_users),
        items=IdMap(world.raw_items),
    )


def sums_world(rng: np.random.Generator) -> World:
    """Two dozen users in three clusters; everybody has rated about half of the films, in half stars."""
    n_users, n_items = int(rng.integers(20, 25)), int(rng.integers(13, 17))
    labels = rng.permutation(np.arange(n_users) % 3)
    rated = rng.random((n_users, n_items)) < 0.5
    rated[:, [4, n_items - 1]] = False  # films that nobody has rated, one of them the last
    user = int(rng.integers(1, n_users - 1))
    rated[[user, n_users - 1], :4] = True  # both have something to be left out, or wrongly left out
    labels[n_users - 1] = labels[user]
    user_ids, item_ids = np.nonzero(rated)
    order = rng.permutation(len(user_ids))
    public = {
        "user_ids": user_ids[order],
        "item_ids": item_ids[order],
        "ratings": (rng.integers(1, 11, len(order)) / 2).astype(np.float32),
        "raw_users": raw_ids(rng, n_users),
        "raw_items": raw_ids(rng, n_items),
        "labels": labels,
        "user": user,
        "cluster": int(labels[user]),
        "other_cluster": int((labels[user] + 1) % 3),
        "no_cluster": 3,
    }
    return World(public=public)


CASES = {
    "": ("cluster", "user", "cluster_sums(train, labels, cluster, user) with the user's own cluster"),
    "_other": ("other_cluster", "user", "cluster_sums(train, labels, cluster, user) with another cluster"),
    "_nobody": ("cluster", None, "cluster_sums(train, labels, cluster, -1)"),
    "_empty": ("no_cluster", "user", "cluster_sums(train, labels, cluster, user) with a cluster that has no members"),
}


@check(
    points=2,
    call="cluster_sums(train, labels, cluster, user)",
    world=sums_world,
    hints={
        "IndexError": "labels has one entry a user, train.user_ids one a rating: labels[train.user_ids] is by rating.",
        "ValueError": "labels has one entry a user, train.user_ids one a rating: labels[train.user_ids] is by rating.",
    },
)
def cluster_sums(cluster_sums, world):
    """Sum and number of the ratings of a cluster's other members, for each film."""
    seen = {}
    for case, (cluster, user, _) in CASES.items():
        who = -1 if user is None else world.user
        result = cluster_sums(train_part(world), world.labels.copy(), getattr(world, cluster), who)
        seen |= returned(result, "sums", "counts", case=case)
    return seen


def tally(world, counts_if) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts (n_items,) of the ratings for whose user counts_if(user) holds, one rating after the other."""
    sums, counts = np.zeros(len(world.raw_items)), np.zeros(len(world.raw_items))
    for user, film, stars in zip(world.user_ids, world.item_ids, world.ratings, strict=True):
        if counts_if(user):
            sums[film] += stars
            counts[film] += 1
    return sums, counts


def counted_at(world, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts (n_items,) of the ratings that a mask (n_ratings,) marks."""
    films, n = world.item_ids[counted], len(world.raw_items)
    return np.bincount(films, world.ratings[counted], n), np.bincount(films, minlength=n).astype(float)


def last_of_each(world, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last marked rating of each film in place of the sum, and one in place of the count."""
    last = dict(zip(world.item_ids[counted].tolist(), world.ratings[counted].tolist(), strict=True))
    n = len(world.raw_items)
    return np.array([last.get(film, 0.0) for film in range(n)]), np.array([float(film in last) for film in range(n)])


@cluster_sums.judge
def _(seen, world):
    yield expect_returned(seen, "2 values: sums, counts")
    n = len(world.raw_items)
    for case, (cluster, user, call) in CASES.items():
        cluster, who = getattr(world, cluster), -1 if user is None else world.user
        wanted = tally(world, lambda u: world.labels[u] == cluster and u != who)  # noqa: B023, called at once
        with_own = tally(world, lambda u: world.labels[u] == cluster)  # noqa: B023
        everybody = tally(world, lambda u: u != who)  # noqa: B023
        own_cluster = tally(world, lambda u: world.labels[u] == world.labels[who] and u != who)  # noqa: B023
        by_film = world.labels[world.item_ids] == cluster  # labels looked up by film ids
        by_film = counted_at(world, by_film & (world.user_ids != who))
        last = last_of_each(world, (world.labels[world.user_ids] == cluster) & (world.user_ids != who))
        all_but_last = tally(world, lambda u: world.labels[u] == cluster and u != len(world.labels) - 1)  # noqa: B023
        for place, name in enumerate(("sums", "counts")):
            which = ("first", "second")[place]
            of = f"the {which} value of {call}"
            slip = "One entry for each film, 0 to n_items - 1, rated or not: minlength=train.n_items."
            yield expect_array(seen[name + case], shape=(n,), call=of, slip=slip)
            mistakes = {}
            if user:
                mistakes["The user's own ratings are in it: a mean that holds the answer is no prediction."] = with_own[
                    place
                ]
            mistakes["Those are the ratings of all users: only members of the cluster count."] = everybody[place]
            if not user:
                mistakes["User -1 is nobody: as an index, -1 is the last user, whose ratings were left out."] = (
                    all_but_last[place]
                )
            mistakes["Sums and counts are swapped: sums come first."] = wanted[1 - place]
            mistakes["With repeated ids, += at a list of ids keeps only the last of each: use np.bincount."] = last[
                place
            ]
            mistakes["labels is by user: labels[train.user_ids], not labels[train.item_ids]."] = by_film[place]
            mistakes[
                "Those are ratings of the user's own cluster: `cluster` is asked for, the user may be of another."
            ] = own_cluster[place]
            if name == "sums":
                means = np.where(wanted[1] > 0, wanted[0] / np.maximum(wanted[1], 1), 0)
                mistakes["Those are means: sums are asked for, and the numbers beside them."] = means
                mistakes["Those are whole stars: the half ones were cut off."] = np.floor(wanted[0])
            slip = likely(
                seen[name + case], mistakes, "Ratings by members of the cluster other than the user, by film."
            )
            yield expect_close(seen[name + case], wanted[place], atol=1e-3, call=of, slip=slip)
    counted = int(tally(world, lambda u: world.labels[u] == world.cluster and u != world.user)[1].sum())
    yield expect_close(
        1, 1, saw=f"{counted} of {len(world.user_ids)} ratings count for the cluster, none of the user's own."
    )


def damped_world(rng: np.random.Generator) -> World:
    """Films with no, one, a few and many ratings, the many rated ones better."""
    counts = np.concatenate([[0, 1, 0], rng.integers(2, 6, 3), rng.integers(20, 60, 3)])
    means = np.concatenate([[0, 5, 0], rng.uniform(1, 4, 3), rng.uniform(4, 4.8, 3)])
    order = rng.permutation(len(counts))
    public = {
        "sums": (counts * means)[order],
        "counts": counts[order],
        "prior": round(float(rng.uniform(2.8, 3.6)), 2),
        "damping": round(float(rng.uniform(3, 8)), 1),
    }
    return World(public=public, secret={"means": means[order]})


@check(points=1, call="damped_means(sums, counts, prior, damping)", world=damped_world)
def damped_means(damped_means, world):
    """Means drawn towards the prior by so many ratings more."""
    return {
        "damped": damped_means(world.sums.copy(), world.counts.copy(), world.prior, world.damping),
        "plain": damped_means(world.sums.copy(), world.counts.copy(), world.prior, 0.0),
    }


@damped_means.judge
def _(seen, world):
    n, mu, damping = world.counts, world.prior, world.damping
    # a mixture of the film's mean and the prior, by the ratings that either stands for
    share = n / (n + damping)
    wanted = share * world.means + (1 - share) * mu
    with np.errstate(invalid="ignore", divide="ignore"):
        mistakes = {
            "Those are the plain means: nothing was added to the few ratings.": np.where(n > 0, world.means, mu),
            "The damping is missing above the line: add damping * prior to the sums.": world.sums / (n + damping),
            "Damping is a number of ratings: each of them is worth the prior, damping * prior stars.": (
                world.sums + damping
            )
            / (n + damping),
            "Only one rating at the prior was added above the line: add damping * prior.": (world.sums + mu)
            / (n + damping),
            "The damping is missing below the line: it counts as ratings, too.": (world.sums + damping * mu)
            / np.maximum(n, 1),
            "The weights are swapped: the more ratings, the closer to the film's own mean.": (
                np.where(n > 0, share * mu + (1 - share) * world.means, mu)
            ),
        }
    # the smallest of these mistakes moves some film by more than a hundredth of a star
    slip = likely(seen["damped"], mistakes, "(sum + damping * prior) / (count + damping), film by film.")
    yield expect_close(seen["damped"], wanted, atol=1e-4, slip=slip)
    call = "damped_means(sums, counts, prior, 0)"
    plain = np.where(n > 0, world.means, mu)
    slip = "Without damping a film with ratings has its plain mean, and one without any still has the prior."
    if isinstance(seen["plain"], np.ndarray) and seen["plain"].dtype.kind == "f" and np.isnan(seen["plain"]).any():
        slip = "0 / 0 is no number: a film without ratings gets the prior, also where the damping is 0."
    saw = f"{len(n)} films with 0 to {n.max()} ratings: drawn towards {mu:g} stars, the less the more ratings."
    yield expect_close(seen["plain"], plain, atol=1e-4, call=call, slip=slip, saw=saw)
