"""Lesson 04: what a group likes, by genre, and which films are alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from course_utils.checks.expect import Finding, expect_array, expect_close, expect_equal
from course_utils.checks.framework import World, check

GENRES = ("Noir", "Film-Noir", "Comedy", "Sci-Fi", "Children's", "(odd) one", "Action")


def profile_world(rng: np.random.Generator) -> World:
    """Films with none to three genres, one of which holds another's name; few films have most of the ratings."""
    n_items = int(rng.integers(12, 16))
    carried = [rng.choice(len(GENRES) - 1, rng.integers(1, 4), replace=False) for _ in range(n_items)]
    carried[0] = np.array([1, 2, 6])  # "Noir" is only a part of a name here, and "Action" never comes first
    carried[1] = np.array([0])
    carried[2] = np.array([], dtype=int)  # no genre, but rated
    weights = rng.permutation(1 / np.arange(1, n_items + 1))
    ids = np.concatenate([[0, 0, 0, 1, 2, 2], rng.choice(n_items, 60, p=weights / weights.sum())])
    rare = rng.integers(3, n_items)  # a film that nobody has rated carries a genre of its own
    ids = ids[ids != rare]
    texts = ["|".join(GENRES[one] for one in own) for own in carried]
    texts[rare] = "Western"
    ids = rng.permutation(ids)
    values = np.round(rng.normal(0.1, 1, len(ids)), 3) + 0.5 * (ids % 3)
    return World(public={"item_ids": ids, "values": values, "texts": np.array(texts)})


@check(
    points=2,
    call="genre_profile(item_ids, values, genres)",
    world=profile_world,
    hints={"KeyError": "genres is a list: genres[i] is the text of dense film i."},
)
def genre_profile(genre_profile, world):
    """The mean value of the ratings whose film carries each genre."""
    import pandas as pd

    found = genre_profile(world.item_ids.copy(), world.values.copy(), world.texts.tolist())
    if isinstance(found, Mapping | pd.Series):
        found = dict(found.items())
        return {"names": [str(name) for name in found] or np.array([], dtype=str), "means": list(found.values())}
    return {"returned": type(found).__name__}


def means_by_genre(world, *, first=False, per_film=False, within=False, of_all=False) -> dict[str, float]:
    """Genre to mean value, rating by rating; the options are mistakes."""
    values: dict[str, list[float]] = {}
    pairs = list(zip(world.item_ids.tolist(), world.values.tolist(), strict=True))
    if per_film:
        films = sorted(set(world.item_ids.tolist()))
        pairs = [(film, float(np.mean(world.values[world.item_ids == film]))) for film in films]
    for film, value in pairs:
        text = str(world.texts[film])
        own = [name for name in text.split("|") if name]
        own = own[:1] if first else [name for name in GENRES if name in text] if within else own
        for name in own:
            values.setdefault(name, []).append(value)
    n = len(pairs)
    return {name: sum(all_) / (n if of_all else len(all_)) for name, all_ in values.items()}


@genre_profile.judge
def _(seen, world):
    if not isinstance(seen["names"], np.ndarray):
        slip = "Return a dict, or a pandas Series, from genre to mean value."
        if str(seen["returned"]) == "NoneType":
            slip = "Nothing came back: is a `return` missing?"
        yield Finding(0, came_back=str(seen["returned"]), expected="a dict from genre to mean", slip=slip)
    wanted = means_by_genre(world)
    names = [str(name) for name in np.atleast_1d(seen["names"])]
    slip = "One entry for each genre that a rated film carries."
    if "" in names:
        slip = "The empty text is no genre: a film without genres counts for none."
    elif any("|" in name for name in names):
        slip = "Genres are separated by |: take each text apart."
    elif "Western" in names:
        slip = "No rating belongs to a film with that genre, so it has no mean: leave it out."
    elif set(names) < set(wanted):
        slip = "Genres are missing: a film with three genres counts for each of the three."
    yield expect_equal(sorted(names), sorted(wanted), call="the genres of genre_profile(...)", slip=slip)
    got = np.atleast_1d(seen["means"])
    yield expect_array(got if np.ndim(seen["means"]) == 1 else seen["means"], shape=(len(names),), slip=slip)
    got = dict(zip(names, got.tolist(), strict=True))
    slip = "For each genre: the values of all ratings whose film carries it, then their mean."
    for text, options in (
        ("A film counts for each of its genres, not for the first alone.", {"first": True}),
        (
            "That is a mean over films: every rating counts, so a film with many ratings counts often.",
            {"per_film": True},
        ),
        ("Noir was found in Film-Noir, too: compare whole names.", {"within": True}),
        ("Divide by the number of ratings of that genre, not by the number of all.", {"of_all": True}),
    ):
        mistaken = means_by_genre(world, **options)
        if all(abs(mistaken.get(name, np.inf) - value) < 1e-6 for name, value in got.items()):
            slip = text
    if all(float(value).is_integer() and value > 0 for value in got.values()):
        slip = "Those are counts: the mean of the values is asked for."
    order = sorted(wanted)
    saw = (
        f"{len(world.item_ids)} ratings, {len(order)} genres: each mean over all ratings whose film carries the genre."
    )
    # mistakes move some genre by more than a hundredth of a star
    yield expect_close(
        [got[name] for name in order],
        [wanted[name] for name in order],
        atol=1e-4,
        call=f"genre_profile(...) for {', '.join(order)}",
        slip=slip,
        saw=saw,
    )


def films_world(rng: np.random.Generator) -> World:
    """Directions spread around that of one film; lengths differ tenfold, so that cosine is not dot product."""
    n_items, width = int(rng.integers(20, 26)), 6
    while True:
        directions = rng.normal(size=(n_items, width)) + 0.8 * np.eye(1, width)[0]
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        vectors = (directions * rng.choice([0.3, 1.0, 3.0], n_items)[:, None]).astype(np.float32)
        item = int(rng.integers(n_items // 2, n_items))
        lists = orders(vectors, item)
        cosines = np.sort((directions @ directions[item])[np.arange(n_items) != item])
        apart = all(
            lists["cosine"][:5].tolist() != other[:5].tolist() for name, other in lists.items() if name != "cosine"
        )
        apart &= lists["by column"][:5].tolist() not in [lists[name][:5].tolist() for name in ("dot", "distance")]
        if np.diff(cosines).min() > 1e-3 and apart and cosines[1] < 0:  # below 0, where an own cosine of 0 shows
            return World(public={"item_vectors": vectors, "item_id": item, "n": 5})


def orders(vectors: np.ndarray, item: int) -> dict[str, np.ndarray]:
    """Films from the nearest to the farthest by several measures, the film itself among them where a slip has it."""
    vectors = vectors.astype(float)
    lengths = np.sqrt((vectors**2).sum(axis=1))
    dots = vectors @ vectors[item]
    far = ((vectors - vectors[item]) ** 2).sum(axis=1)
    scaled = vectors / np.sqrt((vectors**2).sum(axis=0))
    columns = scaled @ scaled[item]
    cosine = dots / lengths / lengths[item]

    def without(order):
        return order[order != item]

    return {
        "cosine": without(np.argsort(-cosine)),
        "itself": np.argsort(-cosine),
        "dot": without(np.argsort(-dots)),
        "dot, itself": np.argsort(-dots),
        "distance": without(np.argsort(far)),
        "distance, itself": np.argsort(far),
        "farthest": without(np.argsort(cosine)),
        "first dropped": np.argsort(-dots)[1:],
        "by column": without(np.argsort(-columns)),
        "by column, itself": np.argsort(-columns),
    }


FILM_SLIPS = {
    "itself": "The film is its own nearest neighbour: leave it out.",
    "dot": "That is the order by dot product, which favours long vectors: divide each vector by its length.",
    "dot, itself": "That is the order by dot product, which favours long vectors: divide each vector by its length.",
    "first dropped": "Without dividing by lengths, the film is not always first in its own list: another was dropped.",
    "distance": "That is the order by Euclidean distance: the cosine compares directions and ignores lengths.",
    "distance, itself": "That is the order by Euclidean distance, with the film itself: the cosine is asked for.",
    "by column": "Columns were brought to length 1: divide each row by its own length, norm along axis=1.",
    "by column, itself": "Columns were brought to length 1: divide each row by its own length, norm along axis=1.",
    "farthest": "Those are the least alike: the largest cosine comes first.",
}


@check(points=2, call="nearest_films(item_vectors, item_id, n)", world=films_world)
def nearest_films(nearest_films, world):
    """The films with the largest cosines, without the film itself."""
    return {
        "films": nearest_films(world.item_vectors.copy(), world.item_id, world.n),
        "one": nearest_films(world.item_vectors.copy(), world.item_id, 1),
        "all": nearest_films(world.item_vectors.copy(), world.item_id, len(world.item_vectors) - 1),
    }


@nearest_films.judge
def _(seen, world):
    lists, n = orders(world.item_vectors, world.item_id), world.n
    slip = "n dense ids, the film itself not counted."
    if np.shape(seen["films"]) == (n - 1,):
        slip = "One is missing: take the film itself out first, then cut to n."
    yield expect_array(seen["films"], shape=(n,), slip=slip)
    slip = "Cosine of each film's vector with that of item_id; the largest first, the film itself left out."
    if np.asarray(seen["films"]).dtype.kind == "f":
        slip = "Those are cosines: the ids of the films are asked for."
    else:
        for name, text in FILM_SLIPS.items():
            if np.array_equal(seen["films"], lists[name][:n]):
                slip = text
                break
        else:
            if set(np.asarray(seen["films"]).tolist()) == set(lists["cosine"][:n].tolist()):
                slip = "The films are right, their order is not: the most alike first."
    saw = f"The {n} of {len(world.item_vectors)} films that point most in the same direction, whatever their length."
    yield expect_equal(seen["films"], lists["cosine"][:n], slip=slip)
    yield expect_equal(
        seen["one"], lists["cosine"][:1], call="nearest_films(item_vectors, item_id, 1)", slip=slip, saw=saw
    )
    everybody = lists["cosine"]
    slip = "All films but the one itself, from the most to the least alike."
    if isinstance(seen["all"], np.ndarray) and world.item_id in seen["all"]:
        slip = "The film itself is in it, before films with a cosine below 0: its own has to be below -1, or left out."
    call = f"nearest_films(item_vectors, item_id, {len(everybody)}), all others"
    yield expect_equal(seen["all"], everybody, call=call, slip=slip, saw=saw)
