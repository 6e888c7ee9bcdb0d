"""Lesson 04: a list of films for a cluster, judged film by film against a slow loop."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from course_utils.checks.blame import message_of
from course_utils.checks.expect import Finding, expect, expect_equal
from course_utils.checks.framework import World, check
from course_utils.checks.tables import raw_ids
from course_utils.checks.taste_clusters.films import train_part

N_CLUSTERS, EMPTY, ALONE = 5, 4, 3  # clusters 0 to 2 have members, 3 has one, 4 has none
GAP = 1e-3  # stars between two films' scores, at least, so that no rounding decides an order
GENRES = ("Drama", "Comedy", "Action", "Film-Noir", "Sci-Fi", "")
OTHER_TITLES = (
    "Titles and genres belong to other films: look them up in movies by raw item_id, in the order of the list. The "
    "rows of movies are in no particular order."
)
NO_TABLE = "Return a pandas table with the columns item_id, title and genres, one row a film."
CALL = "recommend_items_for_cluster(cluster, user, train, labels, movies, n, damping)"


def recommend_world(rng: np.random.Generator) -> World:
    """Draws worlds until one shows every mistake: all lists that a slip would give differ from the right one."""
    while True:
        world = draw(rng)
        if tells_mistakes_apart(SimpleNamespace(**world)):
            return World(public=world)


def draw(rng: np.random.Generator) -> dict:
    n_users, n_items = int(rng.integers(30, 36)), int(rng.integers(22, 27))
    labels = np.concatenate([[0], rng.permutation(np.arange(n_users - 3) % 3), [ALONE, 1]])
    user, lonely = 0, n_users - 2  # before users are numbered anew; the last one is in cluster 1
    rated = rng.random((n_users, n_items)) < 0.45
    rated[:, 0] = False
    one_fan = int(np.flatnonzero(labels == 0)[1])
    rated[one_fan, 0] = True  # film 0: five stars from one member of cluster 0, and nobody else
    stars = np.round(rng.uniform(1, 5, (n_users, n_items)) * 0.6 + rng.uniform(0, 1.6, n_items), 2)
    stars = (stars + np.array([0.7, 0, -0.3, 0])[labels][:, None]).clip(0.5, 4.9)  # whose mean is the prior matters
    stars[:, 0] = 5
    best = np.argsort(-stars[labels == 0].mean(axis=0))[1:7]
    rated[np.ix_([user, n_users - 1], best[:3])] = True  # the user, and the last of all, have seen some of the best
    order = np.concatenate([rng.permutation(n_users - 1), [n_users - 1]])  # new number of each old user
    films = rng.permutation(n_items)
    users_of, films_of = np.nonzero(rated)
    new_labels = np.empty(n_users, dtype=int)
    new_labels[order] = labels
    shuffled = rng.permutation(len(users_of))
    raw_users, raw_items = raw_ids(rng, n_users), raw_ids(rng, n_items + 5)
    title_of = rng.permutation(n_items + 5)
    return {
        "user_ids": order[users_of][shuffled],
        "item_ids": films[films_of][shuffled],
        "ratings": stars[users_of, films_of][shuffled].astype(np.float32),
        "raw_users": raw_users + 5000,  # raw ids are no dense ids, and no user shares one with a film
        "raw_items": raw_items[:n_items] + 100,
        "labels": new_labels,
        "user": int(raw_users[order[user]]) + 5000,
        "lonely": int(raw_users[order[lonely]]) + 5000,
        "unknown": 4999,
        "movie_ids": rng.permutation(raw_items) + 100,  # in another order, five films more than were rated
        "movie_titles": np.array([f"Film {number:03d}" for number in title_of]),
        "movie_genres": np.array(["|".join(rng.choice(GENRES[:5], 2, replace=False)) for _ in title_of]),
    }


CASES = {  # name: cluster, who, n, damping
    "default": (0, "user", None, None),
    "plain": (0, "user", 3, 0.0),
    "other": (2, "user", 4, 2.0),
    "long": (0, "user", 99, 5.0),
    "unknown": (0, "unknown", 5, 5.0),
    "alone": (ALONE, "lonely", 5, 5.0),
    "empty": (EMPTY, "user", 5, 5.0),
}
EDGES = {
    "unknown": "A user without a dense id has rated nothing: nobody to look up, and nothing to leave out.",
    "alone": "Without the user's own ratings nobody in the cluster is left: an empty table with the three columns.",
    "empty": "No ratings, no candidates: an empty table with the three columns.",
}


@check(
    points=4,
    call=CALL,
    world=recommend_world,
    hints={
        "IndexError": "Only dense ids are places in an array: train.users.encode([user])[0] is the user's.",
        "ValueError": "Film ids go back by train.items.decode, user ids in by train.users.encode: are they swapped?",
        "KeyError": "Look titles up by raw film ids, which train.items.decode gives; train.users is for users.",
    },
)
def recommend(recommend_items_for_cluster, world):
    """The cluster's best films that the user has not rated, with raw ids, titles and genres."""
    import pandas as pd

    columns = {"item_id": world.movie_ids, "title": world.movie_titles, "genres": world.movie_genres}
    seen = {}
    for case, (cluster, who, n, damping) in CASES.items():
        options = {} if n is None else {"n": n, "damping": damping}
        arguments = (cluster, getattr(world, who), train_part(world), world.labels.copy(), pd.DataFrame(columns))
        if case not in EDGES:
            seen |= rows_of(recommend_items_for_cluster(*arguments, **options), case)
            continue
        try:
            seen |= rows_of(recommend_items_for_cluster(*arguments, **options), case)
        except Exception as problem:  # the list for a known user earns its points all the same
            seen["raised_" + case] = f"{type(problem).__name__}: {message_of(problem)}"
    return seen


def rows_of(table, case: str) -> dict:
    """The three columns of a table as arrays, or what came instead."""
    columns = getattr(table, "columns", ())
    try:
        missing = [name for name in ("item_id", "title", "genres") if name not in columns]
        if missing:
            rows = f"{len(table)} rows" if hasattr(table, "columns") else f"a {type(table).__name__}"
            lacks = f", without the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
            return {"odd_" + case: rows + lacks * hasattr(table, "columns")}
        texts = {
            f"{name}_{case}": np.array([str(one) for one in table[name]], dtype=str) for name in ("title", "genres")
        }
        return {"item_id_" + case: np.asarray(list(table["item_id"]), dtype=np.int64), **texts}
    except (TypeError, ValueError):
        return {"odd_" + case: f"a {type(table).__name__} whose item_id are no whole numbers"}


def scored(world, cluster, who, damping, slip="") -> tuple[dict[int, float], set[int]]:
    """Score of every film that counts for the cluster, and the films to leave out, worked out rating by rating."""
    dense = {raw: place for place, raw in enumerate(world.raw_users.tolist())}
    me = dense.get(getattr(world, who), -1)
    cluster = world.labels[me] if slip == "own cluster" else cluster
    me = -1 if slip == "raw" else me
    ratings = list(zip(world.user_ids.tolist(), world.item_ids.tolist(), world.ratings.tolist(), strict=True))
    prior = sum(stars for *_, stars in ratings) / len(ratings)
    left_out = {film for user, film, _ in ratings if user == (len(world.labels) - 1 if slip == "last" else me)}
    given: dict[int, list[float]] = {}
    for user, film, stars in ratings:
        if (slip == "everybody" or world.labels[user] == cluster) and user != me:
            given.setdefault(film, []).append(stars)
    damping = {"plain": 0.0, "always 5": 5.0}.get(slip, damping)
    if slip == "prior of the cluster":
        prior = sum(map(sum, given.values())) / max(sum(map(len, given.values())), 1)
    elif slip == "prior of the members":
        inside = [stars for user, _, stars in ratings if world.labels[user] == cluster]
        prior = sum(inside) / max(len(inside), 1)
    elif slip == "prior by film":
        means = [np.mean(world.ratings[world.item_ids == film]) for film in set(world.item_ids.tolist())]
        prior = float(np.mean(means))
    elif slip == "prior of the user":
        prior = float(np.mean([stars for user, _, stars in ratings if user == me] or [prior]))
    elif slip.startswith("prior "):
        prior = float(slip.removeprefix("prior "))
    score = {film: (sum(all_) + damping * prior) / (len(all_) + damping) for film, all_ in given.items()}
    if slip == "sum":
        score = {film: sum(all_) for film, all_ in given.items()}
    return score, set() if slip == "seen" else left_out


def best_films(world, cluster, who, n, damping, *, slip="") -> list[int]:
    """Dense ids of the films that should come back, best first.

    slip  a mistake to make: last, places, or one of SLIPS and PRIORS
    """
    n, damping = (5, 5.0) if n is None else (n, damping)
    score, left_out = scored(world, cluster, who, damping, slip)
    wanted = [film for film in score if film not in left_out]
    if slip == "places":  # where each film stands in the list of candidates, in place of the film
        wanted.sort()
        return sorted(range(len(wanted)), key=lambda place: -score[wanted[place]])[:n]
    return sorted(wanted, key=lambda film: score[film] * (1 if slip == "worst" else -1))[:n]


SLIPS = {
    "seen": "Films that the user has rated are among them: leave those out before you cut the list.",
    "everybody": "Those are the best films of all users: only ratings by members of the cluster count.",
    "worst": "That is the list from its lower end: best score first.",
    "sum": "Those are the films with the largest sum of stars: score them by the damped mean.",
    "plain": "Those are the best plain means: the damping was not used.",
    "always 5": "The damping that is passed in was not used: those are the films for damping 5.",
    "own cluster": "Those are films of the user's own cluster: `cluster` is asked for, the user may be of another.",
    "raw": "`user` is a raw id, train.user_ids are dense: train.users.encode([user])[0] is the user's dense id.",
    "places": "argsort gives places in the list of candidates, not films: candidates[order] are the films.",
}
PRIORS = {
    "prior of the cluster": "The prior is the mean of all ratings in train, not that of the cluster's.",
    "prior of the members": "The prior is the mean of all ratings in train, not that of the cluster's.",
    "prior 0": "The damping is missing above the line: add damping times the prior, the mean of all ratings in train.",
    "prior 3": "The prior is the mean of all ratings in train, not 3.",
    "prior 3.5": "The prior is the mean of all ratings in train, not 3.5.",
    "prior by film": "The prior is the mean of all ratings in train, not the mean of the films' means.",
    "prior of the user": "The prior is the mean of all ratings in train, not that of the user's.",
}
LISTS = ("default", "plain", "other", "long")
SHOWN_BY = {"plain": ("default", "other"), "always 5": ("plain",), "own cluster": ("other",)}
"""Cases that show a slip; all others show in each of the first three."""


def tells_mistakes_apart(world) -> bool:
    """Whether scores are well apart, lists are full, and every slip changes the list that is looked at for it."""
    for case in ("default", "plain", "other"):
        right = best_films(world, *CASES[case])
        slips = [slip for slip in SLIPS if case in SHOWN_BY.get(slip, ("default", "plain", "other"))]
        if len(right) < (CASES[case][2] or 5) or any(best_films(world, *CASES[case], slip=s) == right for s in slips):
            return False
    if best_films(world, *CASES["unknown"]) == best_films(world, *CASES["unknown"], slip="last"):
        return False
    if best_films(world, *CASES["default"], slip="raw") == best_films(world, *CASES["default"], slip="seen"):
        return False
    every = {slip: [best_films(world, *CASES[case], slip=slip) for case in LISTS] for slip in (*SLIPS, *PRIORS)}
    if any(every[slip] in (every["prior of the cluster"], every["prior of the members"]) for slip in SLIPS):
        return False
    priors = [slip for slip in PRIORS if slip not in ("prior by film", "prior of the user")]  # may be close to the mean
    if any(best_films(world, *CASES["long"], slip=slip) == best_films(world, *CASES["long"]) for slip in priors):
        return False
    return all(scores_are_apart(world, case) for case in ("default", "plain", "other", "long", "unknown"))


def scores_are_apart(world, case: str) -> bool:
    cluster, who, _, damping = CASES[case]
    score, left_out = scored(world, cluster, who, 5.0 if damping is None else damping)
    scores = sorted(value for film, value in score.items() if film not in left_out)
    return min(np.diff(scores), default=0) > GAP


@recommend.judge
def _(seen, world):
    title_of = dict(zip(world.movie_ids.tolist(), world.movie_titles.tolist(), strict=True))
    genres_of = dict(zip(world.movie_ids.tolist(), world.movie_genres.tolist(), strict=True))
    words = {
        "default": "for a member of the cluster",
        "plain": "with n=3 and damping=0",
        "other": "for a user of another cluster, with n=4 and damping=2",
        "long": "with n=99, more than there are candidates",
        "unknown": "for a user who is not in train",
        "alone": "for the only member of a cluster",
        "empty": "for a cluster without members",
    }
    for case in ("default", "plain", "other", "long"):
        yield from films_are_right(seen, world, case, f"{CALL} {words[case]}", 0.0)
    for case in ("default", "plain", "other", "long"):
        ids = seen["item_id_" + case].tolist()
        for column, lookup in (("title", title_of), ("genres", genres_of)):
            wanted = [lookup[one] for one in ids]
            yield from worth(
                0.5,
                expect_equal(
                    seen[f"{column}_{case}"],
                    wanted,
                    call=f"the column {column} of {CALL} {words[case]}",
                    slip=OTHER_TITLES,
                ),
                f"The films are right ({len(ids)} in the list).",
            )
    for case in EDGES:
        yield from films_are_right(seen, world, case, f"{CALL} {words[case]}", 0.75)
    yield expect(True, saw="Lists for members, for a stranger and for empty clusters: raw ids, titles and genres fit.")


def worth(share: float, finding: Finding, saw: str):
    """The finding, but a failure leaves this share of the points standing."""
    if finding.ok or not share:
        yield finding
        return
    fields = ("call", "came_back", "expected", "slip")
    yield Finding(share, saw=saw, **{name: getattr(finding, name) for name in fields})


def films_are_right(seen, world, case: str, call: str, share: float):
    """Findings about the raw ids of one list."""
    saw = "Films, titles and genres are right for known users." if share else ""
    raw = world.raw_items
    wanted = raw[best_films(world, *CASES[case])]
    expected = f"{len(wanted)} rows, item_id {wanted[:6].tolist()}" if len(wanted) else "a table with no rows"
    if isinstance(seen["raised_" + case], np.ndarray):
        odd = Finding(0, call=call, came_back=str(seen["raised_" + case]), expected=expected, slip=EDGES[case])
        yield from worth(share, odd, saw)
        return
    if not isinstance(seen["item_id_" + case], np.ndarray):
        odd = Finding(
            0, call=call, came_back=str(seen["odd_" + case]), expected=expected, slip=EDGES.get(case, NO_TABLE)
        )
        yield from worth(share, odd, saw)
        return
    got = seen["item_id_" + case]
    came_back = f"{len(got)} rows, item_id {got[:6].tolist()}"
    right = np.array_equal(got, wanted)
    yield from worth(
        share,
        expect(
            right, call=call, came_back=came_back, expected=expected, slip="" if right else slip_of(seen, world, case)
        ),
        saw,
    )


def fits(seen, world, case: str, slip: str) -> bool:
    """Whether a slip gives the very list that came back in a case."""
    films = best_films(world, *CASES[case], slip=slip)
    return np.array_equal(seen["item_id_" + case], world.raw_items[films])


def slip_of(seen, world, case: str) -> str:
    """The likely mistake behind a list of raw ids that is not the right one."""
    got = seen["item_id_" + case]
    right = best_films(world, *CASES[case])
    if np.array_equal(got, right):
        return "Those are dense ids: train.items.decode leads back to raw ones, which people and movies know."
    if len(right) and np.array_equal(got, world.raw_users[right]):
        return "The ids went back through the map of the users: films go back by train.items.decode."
    if case == "unknown":
        if np.array_equal(got, world.raw_items[best_films(world, *CASES[case], slip="last")]):
            return (
                "An unknown user has the dense id -1, and as an index that is the last user, whose films were left out."
            )
        return "A user without a dense id has rated nothing, so nothing is left out."
    if case in ("alone", "empty"):
        return "Nobody else in the cluster has rated anything, so there are no candidates: a table without rows."
    slips = SLIPS | PRIORS
    fitting = [
        slip for slip in slips if all(fits(seen, world, one, slip) for one in ("default", "plain", "other", "long"))
    ]
    for name in [*fitting, *slips]:  # first what explains all lists, then what explains this one
        films = best_films(world, *CASES[case], slip=name)
        if np.array_equal(got, world.raw_items[films]) or np.array_equal(got, films):
            return slips[name]
    me = int(np.flatnonzero(world.raw_users == getattr(world, CASES[case][1]))[0])
    own = set(world.raw_items[world.item_ids[world.user_ids == me]].tolist())
    if own & set(got.tolist()):
        return SLIPS["seen"]
    if set(got.tolist()) == set(world.raw_items[right].tolist()):
        return (
            "The films are right, their order is not: best score first. (A merge or isin may have put them in another.)"
        )
    if len(got) < len(right):
        return "Films are missing: cut to n after those that the user has rated are out, not before."
    if len(got) > len(right):
        return "Too many rows: at most n, and only films that another member of the cluster has rated."
    return "Score by the damped mean of the other members' ratings, best first; the prior is the mean of all of train."
