"""Lesson 02, the ladder: scores of all films, held against recorded rivals on films the student never saw.

Who is better is asked as the rivals were asked when they were recorded: NDCG@10 of the held-back film among 99 others
that its user has met in neither part. But a rival's recorded figure hangs on one draw of the 99, and with a few hundred
users that is much of its noise. Here it is the expectation over all draws, worked out from the film's rank among *all*
unmet films: if b of N are better, the number of better ones among 99 has a hypergeometric distribution. And as in
lesson 01, each rung is a distance from a rival that the judge fits on the very same split, popularity, because how
hard a split is varies for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_utils.baselines import recorded
from course_utils.checks.expect import Finding, expect_array
from course_utils.checks.framework import World, check
from course_utils.checks.standing import Mark, Standing
from course_utils.checks.verdict import number

METRIC = "ndcg@10 (99 negatives)"
N_SAMPLED, TOP_K, MAX_DROPPED = 99, 10, 4  # as in the recorded protocol
TOO_GOOD = 0.45
"""Better than popularity by more than this is no model's doing: the best that is recorded, on any data set, is 0.23."""


@dataclass(frozen=True)
class Rung:
    """One step of the ladder.

    name    as it is said to a person
    model   the rival's name in the recorded results
    margin  in NDCG: how much better than the rival's mean distance from popularity one must be
    """

    name: str
    model: str
    margin: float


# The margins follow from distances to popularity on the same split, in expected NDCG@10 (mean ± standard deviation over
# 12 secret splits of ml-100k and of ml-latest-small, and 7 synthetic worlds; Spotlight's are the recorded ones, with
# one draw of negatives):
#
#     handed in                 ml-100k            ml-latest-small    synthetic
#     popularity                 0                  0                  0
#     Spotlight, BPR            +0.112 ± 0.005     +0.065 ± 0.009     -0.027 ± 0.006
#     Spotlight, tuned          +0.138 ± 0.005     +0.108 ± 0.010     -0.050 ± 0.009
#     ALS                       +0.174 ± 0.008     +0.156 ± 0.012     -0.027 ± 0.008
#     Markov counts             +0.230 ± 0.008     +0.163 ± 0.010     +0.162 ± 0.013
#     the lesson's answer       +0.257 ± 0.008     +0.214 ± 0.009     +0.142 ± 0.010
#
# The answer passes every rung by 3.7 standard deviations or more: it fails by luck less than once in 1,000 times. Each
# rival handed in misses its own rung by two or more, popularity always. In synthetic worlds what people choose follows
# popularity and the last two films, and no factor model beats popularity: there the first rung is the highest.
RUNGS = (
    Rung("ItemPop, the most popular films", "popularity", margin=0.03),
    Rung("Spotlight's BPR", "spotlight_bpr", margin=0.02),
    Rung("Spotlight at its best", "spotlight_tuned", margin=0.02),
    Rung("ALS", "als", margin=0.025),
)


def bars(dataset: str) -> np.ndarray:
    """The NDCG each rung asks for, less that of popularity on the same split; (n_rungs,) float.

    raises  LookupError where no rivals are recorded for the data set
    """
    try:
        base = recorded.values(dataset, "retrieval", "popularity", METRIC)
        rivals = [recorded.values(dataset, "retrieval", rung.model, METRIC) for rung in RUNGS]
    except KeyError as missing:
        raise LookupError(
            f"the ladder has no rivals on {dataset}; `course baselines {dataset} --task retrieval` records them"
        ) from missing
    return np.array([np.mean(rival - base) + rung.margin for rival, rung in zip(rivals, RUNGS, strict=True)])


def ladder_world(rng: np.random.Generator) -> World:
    """Everybody's history up to some film, in order of time, and that film; users and items are numbered anew."""
    from course_utils import movielens, splits
    from course_utils.interactions import encode

    dataset = movielens.default_name()
    bars(dataset)  # before anybody trains for nothing
    ratings = movielens.load(dataset).ratings
    train, test = splits.leave_one_out(ratings, max_dropped=MAX_DROPPED, rng=rng)
    everything = encode(ratings)
    n_users, n_items = everything.n_users, everything.n_items
    new_user, new_item = rng.permutation(n_users), rng.permutation(n_items)
    train, answers = (encode(part, everything.users, everything.items) for part in (splits.in_time_order(train), test))
    public = {
        "n_users": n_users,
        "n_items": n_items,
        "dataset": dataset,
        "user_ids": new_user[train.user_ids],
        "item_ids": new_item[train.item_ids],
    }
    targets = np.empty(n_users, dtype=np.int64)
    targets[new_user[answers.user_ids]] = new_item[answers.item_ids]
    held_out = np.setdiff1d(ratings["position"], train.positions)  # what was dropped is later than the answer
    return World(public=public, secret={"targets": targets}, held_out=held_out)


@check(points=len(RUNGS), call="retrieve(user_ids, item_ids, n_users, n_items)", world=ladder_world)
def ladder(retrieve, world):
    """Learn from everybody's history, score every film for everybody."""
    import torch

    scores = retrieve(world.user_ids.copy(), world.item_ids.copy(), world.n_users, world.n_items)
    if isinstance(scores, torch.Tensor):
        scores = scores.detach().cpu().numpy()
    if isinstance(scores, np.ndarray) and scores.dtype == np.float64:
        scores = scores.astype(np.float32)  # half the bytes on the way to the judge
    return {"scores": scores}


@ladder.judge
def _(seen, world):
    met = np.zeros((world.n_users, world.n_items), dtype=bool)
    met[world.user_ids, world.item_ids] = True
    scores = seen["scores"]
    if isinstance(scores, np.ndarray) and scores.shape == met.shape and scores.dtype.kind in "iuf":
        scores = np.where(met, 0, scores)  # these do not compete, so their scores may be anything, -inf for one
    form = expect_array(scores, shape=met.shape, slip="One row for each user, one column for each item.")
    yield form
    if not form.ok:
        return
    counts = np.bincount(world.item_ids, minlength=world.n_items)
    base = expected_ndcg(np.broadcast_to(counts, met.shape), world.targets, met).mean()
    yours = expected_ndcg(scores, world.targets, met).mean()
    if yours > base + TOO_GOOD:
        yield Finding(
            0,
            came_back=f"scores whose NDCG is {yours:.3f}",
            expected=f"{base + TOO_GOOD:.3f} or less: no model is known that comes closer on this data",
            slip="The held-back films were looked up, not predicted.",
        )
        return
    wanted = base + bars(str(world.dataset))
    passed = yours > wanted
    n_passed = int(np.argmin(passed)) if not passed.all() else len(RUNGS)  # a rung counts only above all below it
    marks = tuple(Mark(rung.name, float(bar), 1) for rung, bar in zip(RUNGS, wanted, strict=True))
    place = Standing("NDCG@10", True, float(yours), marks)
    saw = f"NDCG@10 of {yours:.3f} on films your model had not seen: {n_passed} of {len(RUNGS)} rungs"
    saw += f", past {RUNGS[n_passed - 1].name}." if n_passed else "."
    if n_passed == len(RUNGS):
        yield Finding(1, saw=saw, ladder=place)
        return
    rung, bar = RUNGS[n_passed], wanted[n_passed]
    yield Finding(
        n_passed / len(RUNGS),
        saw=saw if n_passed else "",
        came_back=f"scores whose NDCG@10 among 99 others is {yours:.3f}",
        expected=f"above {bar:.3f} for the next rung ({number(1)} more): {rung.name} would get about "
        f"{bar - rung.margin:.3f} here, and a rung must be passed clearly",
        slip=likely_slip(np.asarray(seen["scores"]), scores, met, yours, base, world.targets, n_passed),
        ladder=place,
    )


def expected_ndcg(scores: np.ndarray, targets: np.ndarray, met: np.ndarray) -> np.ndarray:
    """(n_users,) NDCG@10 of each target among 99 unmet items, averaged over all draws of the 99.

    Exact where no scores are equal; of a target's equals one half counts as better, whichever are drawn.

    scores   (n_users, n_items), higher is better
    targets  (n_users,) item ids
    met      (n_users, n_items) bool, who met what in training: these do not compete
    """
    from scipy.stats import hypergeom

    own = scores[np.arange(len(targets)), targets][:, None]
    better = ((scores > own) & ~met).sum(axis=1)
    equal = ((scores == own) & ~met).sum(axis=1) - 1
    n_others = (~met).sum(axis=1) - 1
    gains = 1 / np.log2(2 + np.arange(TOP_K))  # of 0, 1, ... better ones among those drawn
    value = 0.0
    for half in (equal // 2, equal - equal // 2):
        drawn = np.minimum(N_SAMPLED, n_others)[:, None]
        chances = hypergeom.pmf(np.arange(TOP_K), n_others[:, None], (better + half)[:, None], drawn)
        value = value + chances @ gains / 2
    return value


def likely_slip(raw, scores, met, yours: float, base: float, targets, n_passed: int) -> str:
    """What scores that fell short look like: as they came (raw), and with those of met items taken away."""
    if (raw[1:] == raw[:1]).all():
        return "Every user has the same scores: nothing personal has been learnt."
    if expected_ndcg(-scores, targets, met).mean() > base:
        return "Turned round, these scores are far better: a higher score is a better one."
    if yours < 0.5 * base:
        return (
            "Far below popularity: do rows belong to user ids and columns to item ids, and is anything learnt at all?"
        )
    if n_passed == 0:
        return (
            "That is about what counting gets, or less: take in what each user has met, and above all what they met "
            "last (rows are in order of time)."
        )
    return (
        "What somebody has always liked and what they met last (rows are in order of time) are two signals; a model "
        "of one alone does not get to the top: bring each user's row of both to one size and add them up."
    )
