"""Lesson 04: clusters of users, and how well they come back."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, pairwise

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_array, expect_close, format_value, likely
from course_utils.checks.framework import World, check
from course_utils.checks.tables import raw_ids


def clusters_world(rng: np.random.Generator) -> World:
    """Users in groups that lie a hundred times farther apart than their members; films in other groups.

    Two groups each lie in the same direction, one three times as far out as the other: vectors of length 1 mix them.
    And a cloud without groups, of which every start of KMeans makes other ones.
    """
    n_clusters, width = int(rng.integers(4, 7)), 5
    n_users, n_items = int(rng.integers(31, 36)), int(rng.integers(40, 46))
    n_directions = (n_clusters + 1) // 2

    def planted(n: int) -> tuple[np.ndarray, np.ndarray]:
        groups = rng.permutation(np.arange(n) % n_clusters)
        centres = 10 * np.eye(n_directions, width) + rng.normal(0, 0.5, (n_directions, width))
        centres = np.concatenate([centres, 3 * centres])[:n_clusters]
        noise = np.where(groups < n_directions, 0.02, 0.06)[:, None] * rng.normal(size=(n, width))
        return (centres[groups] + noise).astype(np.float32), groups

    user_vectors, groups = planted(n_users)
    item_vectors, item_groups = planted(n_items)
    public = {
        "user_vectors": user_vectors,
        "item_vectors": item_vectors,
        "raw_users": n_users + n_items + raw_ids(rng, n_users),  # no raw id is a dense id
        "n_clusters": n_clusters,
        "seed": int(rng.integers(1000)),
        "cloud": rng.normal(size=(n_users, width)).astype(np.float32),
        "seeds": rng.choice(1000, 5, replace=False),
    }
    secret = {"groups": groups, "item_groups": item_groups, "directions": groups % n_directions}
    return World(public=public, secret=secret)


@check(
    points=2,
    call="user_clusters(model, users, n_clusters, seed)",
    world=clusters_world,
    hints={
        "RuntimeError": "The table is a parameter that records gradients: model.user_factors.weight.detach().numpy().",
        "ValueError": "One cluster a user: are those the vectors of the users, and as many as there are raw user ids?",
        "TypeError": "The vectors are model.user_factors.weight, the raw ids users.raw_ids.",
        "AttributeError": "The vectors are model.user_factors.weight, the raw ids users.raw_ids.",
    },
)
def user_clusters(user_clusters, world):
    """The cluster of every user, by raw id, the same with the same seed."""
    import torch

    from course_utils.interactions import IdMap

    class Model(torch.nn.Module):
        def __init__(self, user_vectors=world.user_vectors):
            super().__init__()
            self.user_factors = torch.nn.Embedding(*user_vectors.shape)
            self.item_factors = torch.nn.Embedding(*world.item_vectors.shape)
            for table, values in (
                (self.user_factors, user_vectors),
                (self.item_factors, world.item_vectors),
            ):
                table.weight.data.copy_(torch.as_tensor(values))

    seen = {}
    for case in ("", "_again"):
        found = user_clusters(Model(), IdMap(world.raw_users), world.n_clusters, world.seed)
        if isinstance(found, Mapping):
            seen |= {"keys" + case: list(found), "labels" + case: [found[key] for key in found]}
        else:
            seen["returned" + case] = type(found).__name__
            return seen
    seeds = [int(world.seeds[0]), *map(int, world.seeds)]  # the first one twice
    first, again, *others = (
        user_clusters(Model(world.cloud), IdMap(world.raw_users), world.n_clusters, seed) for seed in seeds
    )
    seen |= {"same_of_cloud": first == again, "seed_is_used": any(other != first for other in others)}
    return seen


@user_clusters.judge
def _(seen, world):
    n = len(world.raw_users)
    if isinstance(seen["returned"], np.ndarray):
        slip = "Return a dict from raw user id to cluster: dict(zip(raw ids, labels))."
        yield Finding(0, came_back=str(seen["returned"]), expected="a dict", slip=slip)
    slip = "One entry for every user: its raw id and its cluster."
    call = "the keys of user_clusters(...)"
    if np.shape(seen["keys"]) == (len(world.item_vectors),):
        slip = "That is one entry a film: it is the users who are grouped."
    yield expect_array(seen["keys"], shape=(n,), kind="iu", call=call, slip=slip)
    keys, labels = np.asarray(seen["keys"]), seen["labels"]
    if np.array_equal(np.sort(keys), np.arange(n)):
        slip = "Those are dense ids: the keys are raw ids, users.raw_ids in the order of the vectors."
    elif set(keys) <= set(range(world.n_clusters)):
        slip = "The dict leads from a cluster; it should lead from a user to a cluster."
    yield expect(
        set(keys.tolist()) == set(world.raw_users.tolist()),
        call=call,
        came_back=format_value(np.sort(keys)),
        expected=format_value(np.sort(world.raw_users)),
        slip=slip,
    )
    call = "the clusters of user_clusters(...)"
    slip = "One whole number for each user."
    yield expect_array(labels, shape=(n,), kind="iu", call=call, slip=slip)
    labels = np.asarray(labels)
    yield expect(
        np.array_equal(np.unique(labels), np.arange(world.n_clusters)),
        call=call,
        came_back=f"the clusters {format_value(np.unique(labels))}",
        expected=f"the clusters 0 to {world.n_clusters - 1}",
        slip="The numbers of clusters start at 0, as KMeans gives them: nothing is to be added."
        if np.array_equal(np.unique(labels), np.arange(1, world.n_clusters + 1))
        else "Ask KMeans for n_clusters clusters.",
    )
    place = {raw: dense for dense, raw in enumerate(world.raw_users.tolist())}
    by_dense = np.empty(n, dtype=int)
    by_dense[[place[key] for key in keys.tolist()]] = labels
    slip = "The clusters are those of the rows of model.user_factors.weight, and row u belongs to users.raw_ids[u]."
    if agrees(by_dense, world.item_groups[:n]):
        slip = "Those are the clusters of the films' vectors: use model.user_factors."
    elif agrees(by_dense[np.argsort(world.raw_users)], world.groups):
        slip = "The raw ids were sorted: row u of the table belongs to users.raw_ids[u], as it stands."
    elif all(len(set(world.directions[by_dense == one])) == 1 for one in np.unique(by_dense)):
        slip = "Vectors of one direction and different lengths were mixed: cluster them as they are, not at length 1."
    agreement = rand_index(by_dense, world.groups)
    # a start that merges two groups and splits a third still agrees to 0.7; a mixed-up map to about 0
    yield expect(
        agreement > 0.6,
        call="user_clusters(...), compared with the groups that were planted",
        came_back=f"groups that agree with the planted ones to {agreement:.2f} (adjusted Rand index)",
        expected="1, or nearly",
        slip=slip,
    )
    same = isinstance(seen["keys_again"], np.ndarray) and np.shape(seen["keys_again"]) == keys.shape
    again = (
        dict(zip(np.atleast_1d(seen["keys_again"]), np.atleast_1d(seen["labels_again"]), strict=True)) if same else {}
    )
    yield expect(
        again == dict(zip(keys, labels, strict=True)) and holds(seen["same_of_cloud"]),
        call="user_clusters(...) a second time with the same seed",
        came_back="other numbers for the clusters",
        expected="the same dict",
        slip="KMeans starts at random: pass random_state=seed.",
    )
    yield expect(
        holds(seen["seed_is_used"]),
        call=f"user_clusters(...) on vectors without any groups, with {len(world.seeds)} different seeds",
        came_back="the same clusters for every seed",
        expected="other clusters for another seed, since KMeans starts elsewhere",
        slip="The seed that is passed in is not used: random_state=seed, not a fixed number.",
        saw=f"{n} users in {world.n_clusters} clusters under their raw ids, the same in a second call.",
    )


def rand_index(one: np.ndarray, other: np.ndarray) -> float:
    """The adjusted Rand index, by counting every pair of points (Hubert and Arabie 1985, equation 5)."""
    first, second = (labels[:, None] == labels for labels in (one, other))
    above = np.triu_indices(len(one), 1)
    first, second = first[above], second[above]
    by_chance = first.sum() * second.sum() / len(first)
    most = (first.sum() + second.sum()) / 2
    return float(((first & second).sum() - by_chance) / (most - by_chance)) if most != by_chance else 1.0


def holds(seen) -> bool:
    """Whether a yes or no came back as yes."""
    return isinstance(seen, np.ndarray) and bool(np.all(seen))


def agrees(one: np.ndarray, other: np.ndarray) -> bool:
    return rand_index(one, other) > 0.6


def labelings_world(rng: np.random.Generator) -> World:
    """Four labelings of the same points, each a little more disturbed, under other numbers; and two that are alike."""
    n, n_clusters = int(rng.integers(50, 60)), 4
    base = rng.integers(0, n_clusters, n)
    runs = []
    for share in (0.1, 0.3, 0.5, 0.8):
        run = np.where(rng.random(n) < share, rng.integers(0, n_clusters, n), base)
        runs.append(rng.permutation(n_clusters)[run])
    alike = np.array([base, (base + 1) % n_clusters])
    return World(public={"runs": np.array(runs), "alike": alike})


@check(points=1, call="stability(labelings)", world=labelings_world)
def stability(stability, world):
    """The mean adjusted Rand index over all pairs of labelings."""
    return {
        "value": stability([run.copy() for run in world.runs]),
        "two": stability([run.copy() for run in world.runs[:2]]),
        "alike": stability([run.copy() for run in world.alike]),
    }


@stability.judge
def _(seen, world):
    from sklearn.metrics import normalized_mutual_info_score, rand_score

    runs = list(world.runs)
    pairs = list(combinations(runs, 2))
    values = np.array([rand_index(one, other) for one, other in pairs])
    n = len(runs)
    mistakes = {
        "Pairs of a labeling with itself are counted, too, and always agree: take pairs of different labelings.": (
            2 * values.sum() + n
        )
        / n**2,
        "Those are the plain Rand indices, which chance alone makes large: adjusted_rand_score.": np.mean(
            [rand_score(one, other) for one, other in pairs]
        ),
        "That is mutual information: adjusted_rand_score is asked for.": np.mean(
            [normalized_mutual_info_score(one, other) for one, other in pairs]
        ),
        "That compares the first labeling with the others only: take all pairs.": values[: n - 1].mean(),
        "That compares neighbours in the list only: take all pairs.": np.mean(
            [rand_index(one, other) for one, other in pairwise(runs)]
        ),
        "That is the share of equal numbers: what a cluster is called does not matter.": np.mean(
            [np.mean(one == other) for one, other in pairs]
        ),
        "That is the sum: take the mean over the pairs.": values.sum(),
        "That is the best pair: take the mean over all.": values.max(),
        "That is the worst pair: take the mean over all.": values.min(),
        "That is the median: take the mean over the pairs.": np.median(values),
    }
    # the figures above differ from the right one by a hundredth or more
    slip = likely(seen["value"], mistakes, "adjusted_rand_score of each pair, then the mean over the pairs.")
    yield expect_close(seen["value"], values.mean(), atol=1e-4, slip=slip)
    call = "stability of two labelings"
    yield expect_close(seen["two"], values[0], atol=1e-4, call=call, slip="Two labelings make one pair.")
    call = "stability of a labeling and the same groups under other numbers"
    saw = (
        f"{n} labelings, {len(pairs)} pairs, {values.mean():.3f} on average; the same groups under other numbers agree."
    )
    slip = "What a cluster is called does not matter: adjusted_rand_score compares who is together."
    yield expect_close(seen["alike"], 1.0, atol=1e-4, call=call, slip=slip, saw=saw)
