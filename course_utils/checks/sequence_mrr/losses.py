"""Lesson 03, three losses: over the whole catalogue, over a sample of it, and over pairs."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp, softmax

from course_utils.checks.expect import expect, expect_array, expect_close, likely
from course_utils.checks.framework import World, check

ONE_NUMBER = "Return one number: the mean over the rows of the batch."
OVERFLOW = (
    "Scores of some hundreds are harmless, but exp of them is not, nor is log of 0: use torch's own log_softmax, "
    "cross_entropy, logsumexp or logsigmoid, which never form the ratio."
)


def scores_world(rng: np.random.Generator) -> World:
    """Scores in which the padding leads in some rows, and the same on a scale on which exp overflows."""
    n, n_items = int(rng.integers(6, 10)), int(rng.integers(9, 14))
    scores = rng.normal(0, 2, (n, n_items))
    scores[::2, 0] += 3
    return World(public={"scores": scores.astype(np.float32), "targets": rng.integers(1, n_items, n)})


@check(
    points=1,
    call="cross_entropy_loss(scores, targets)",
    world=scores_world,
    hints={
        "IndexError": "Without column 0, film i stands in column i - 1: the targets move along.",
        "RuntimeError": "Either the scores are changed in place, as scores[:, 0] = ... does: change a copy, "
        "scores.clone(), or use masked_fill. Or the shapes do not fit: F.cross_entropy takes scores (B, n_items) and "
        "targets (B,) int64 as they are.",
    },
)
def cross_entropy_loss(cross_entropy_loss, world):
    """The mean of -log softmax at the targets; the padding is no candidate."""
    import torch

    targets = torch.as_tensor(world.targets)
    scores = torch.as_tensor(world.scores).requires_grad_()
    loss = cross_entropy_loss(scores, targets)
    if isinstance(loss, torch.Tensor) and loss.requires_grad:
        loss.sum().backward()
    large = cross_entropy_loss(100 * torch.as_tensor(world.scores), targets)
    return {"loss": loss, "large": large} | ({} if scores.grad is None else {"gradient": scores.grad})


@cross_entropy_loss.judge
def _(seen, world):
    scores, targets, rows = world.scores.astype(float), world.targets, np.arange(len(world.targets))

    def entropies(scores, first=1):
        return logsumexp(scores[:, first:], axis=1) - scores[rows, targets]

    probs, real = softmax(scores, axis=1), softmax(scores[:, 1:], axis=1)
    right = float(entropies(scores).mean())
    twice = (entropies(probs, 0), entropies(probs), logsumexp(real, axis=1) - real[rows, targets - 1])
    slips = {
        "The padding is among the candidates: leave column 0 out, or set it to minus infinity.": entropies(
            scores, 0
        ).mean(),
        "That is the sum over the rows: take the mean.": entropies(scores).sum(),
        "The sign is wrong: a loss falls as the target's probability rises.": -right,
        "That is minus the mean probability: its logarithm is missing.": -real[rows, targets - 1].mean(),
        "The padding's column still counts, with score 0: set it to minus infinity.": entropies(
            np.column_stack([np.zeros(len(rows)), scores[:, 1:]]), 0
        ).mean(),
        "Column i - 1 is not film i unless column 0 has been taken away: then the targets move along.": (
            logsumexp(scores[:, 1:], axis=1) - scores[rows, np.minimum(targets + 1, scores.shape[1] - 1)]
        ).mean(),
    }
    yield expect_array(seen["loss"], shape=(), kind="f", slip=ONE_NUMBER)
    slip = likely(seen["loss"], slips, "-log softmax(scores over the real films)[target], averaged over the rows.")
    if any(expect_close(seen["loss"], np.float64(values.mean())).ok for values in twice):
        slip = "The softmax is taken before the cross-entropy, which takes one itself: hand it the scores as they are."
    yield expect_close(seen["loss"], np.float64(right), atol=1e-4, slip=slip)
    right_gradient = np.zeros_like(scores)
    right_gradient[:, 1:] = real / len(rows)
    right_gradient[rows, targets] -= 1 / len(rows)
    yield expect_close(
        seen["gradient"],
        right_gradient,
        atol=1e-4,
        call="cross_entropy_loss(scores, targets).backward(), then scores.grad",
        slip="The loss must be a tensor that the scores can be learnt from: no .item(), .detach() or NumPy.",
    )
    yield expect_close(
        seen["large"],
        np.float64(entropies(100 * scores).mean()),
        rtol=1e-4,
        call="cross_entropy_loss(100 * scores, targets)",
        slip=OVERFLOW,
        saw=f"{len(rows)} rows, cross-entropy {right:.4f}, no gradient into the padding's column.",
    )


def samples_world(rng: np.random.Generator) -> World:
    """Scores of the targets and of as many rows of sampled films."""
    n, n_sampled = int(rng.integers(5, 8)), int(rng.integers(9, 13))
    return World(
        public={
            "positive": rng.normal(1, 1, n).astype(np.float32),
            "negative": rng.normal(0, 1.5, (n, n_sampled)).astype(np.float32),
        }
    )


def observe_loss(loss_function, world) -> dict:
    """The loss, its gradients, the loss of a batch of one, and that of scores far apart."""
    import torch

    positive, negative = (torch.as_tensor(array).requires_grad_() for array in (world.positive, world.negative))
    loss = loss_function(positive, negative)
    if isinstance(loss, torch.Tensor) and loss.requires_grad:
        loss.sum().backward()
    with torch.no_grad():
        far = loss_function(positive - 300, negative + 300)
        one = loss_function(positive[:1], negative[:1])
    seen = {"loss": loss, "far": far, "one": one}
    gradients = {"positive_gradient": positive.grad, "negative_gradient": negative.grad}
    return seen | {name: gradient for name, gradient in gradients.items() if gradient is not None}


def judge_loss(seen, world, name: str, values, slips, otherwise: str, saw: str):
    """values(positive, negative) -> the loss of every row (B,) or pair (B, K), in float64."""
    positive, negative = world.positive.astype(float), world.negative.astype(float)
    right = float(values(positive, negative).mean())
    yield expect_array(seen["loss"], shape=(), kind="f", slip=ONE_NUMBER)
    yield expect_close(seen["loss"], np.float64(right), atol=1e-4, slip=likely(seen["loss"], slips, otherwise))
    yield expect_close(
        seen["one"],
        np.float64(values(positive[:1], negative[:1]).mean()),
        atol=1e-4,
        call=f"{name}(positive[:1], negative[:1])",
        slip="A batch of one row is a batch: name the dimension that you add or take away.",
    )
    yield expect_close(
        seen["far"],
        np.float64(values(positive - 300, negative + 300).mean()),
        rtol=1e-4,
        call=f"{name}(positive - 300, negative + 300)",
        slip=OVERFLOW,
    )
    gradients = (seen["positive_gradient"], seen["negative_gradient"])
    shapes = (positive.shape, negative.shape)
    slip = "The loss must be a tensor that both kinds of scores learn from: no .item(), .detach() or NumPy."
    for gradient, shape in zip(gradients, shapes, strict=True):
        yield expect_array(gradient, shape=shape, call=f"{name}(...).backward(), then the gradients", slip=slip)
    signs = np.asarray(gradients[0]) < 0
    yield expect(
        bool(signs.all() and (np.asarray(gradients[1]) > 0).all()),
        call=f"{name}(...).backward(), then the signs of the gradients",
        came_back="targets that are pushed down, or negatives that are not",
        expected="every target pushed up, every negative down",
        slip=slip,
        saw=saw.format(right),
    )


PAIRED = "positive is (B,), negative (B, K): positive[:, None] is (B, 1), and goes with the negatives row by row."


@check(
    points=1,
    call="sampled_softmax_loss(positive, negative)",
    world=samples_world,
    hints={"RuntimeError": PAIRED, "IndexError": PAIRED},
)
def sampled_softmax_loss(sampled_softmax_loss, world):
    """Cross-entropy of each target against its own sample of other films."""
    return observe_loss(sampled_softmax_loss, world)


@sampled_softmax_loss.judge
def _(seen, world):
    def values(positive, negative):
        return logsumexp(np.column_stack([positive, negative]), axis=1) - positive

    positive, negative = world.positive.astype(float), world.negative.astype(float)
    rows = values(positive, negative)
    together = np.column_stack([positive, negative])
    probs = softmax(together, axis=1)
    slips = {
        "The target is missing below the line: it competes with its negatives, and is one of the candidates.": (
            logsumexp(negative, axis=1) - positive
        ).mean(),
        "The softmax is taken before the cross-entropy, which takes one itself.": (
            logsumexp(probs, axis=1) - probs[:, 0]
        ).mean(),
        "That is the sum over the rows: take the mean.": rows.sum(),
        "The sign is wrong: a loss falls as the target's probability rises.": -rows.mean(),
        "All rows share one softmax: each target stands against the negatives of its own row.": (
            logsumexp(together) - positive
        ).mean(),
        "That is the loss of the last column: with the target in column 0, the class of every row is 0.": (
            logsumexp(together, axis=1) - together[:, -1]
        ).mean(),
    }
    yield from judge_loss(
        seen,
        world,
        "sampled_softmax_loss",
        values,
        slips,
        "For each row: log(exp(p) + sum of exp(n)) - p, averaged over the rows.",
        f"{len(rows)} targets against {negative.shape[1]} negatives each: loss {{:.4f}}.",
    )


@check(
    points=1,
    call="bpr_loss(positive, negative)",
    world=samples_world,
    hints={"RuntimeError": PAIRED, "IndexError": PAIRED},
)
def bpr_loss(bpr_loss, world):
    """Mean over all pairs of a target and one of its negatives of -log sigmoid of the difference."""
    return observe_loss(bpr_loss, world)


@bpr_loss.judge
def _(seen, world):
    def values(positive, negative):
        return np.logaddexp(0, negative - positive[:, None])

    positive, negative = world.positive.astype(float), world.negative.astype(float)
    pairs = values(positive, negative)
    sigmoids = np.exp(-pairs)
    slips = {
        "That is 1 - sigmoid, Spotlight's own variant: BPR takes the logarithm, -log sigmoid.": (1 - sigmoids).mean(),
        "That is the mean sigmoid: take minus its logarithm.": sigmoids.mean(),
        "That is minus the mean sigmoid: its logarithm is missing.": -sigmoids.mean(),
        "The sign is wrong: the loss falls as the target rises above the negative.": -pairs.mean(),
        "The difference is the wrong way round: the target's score less the negative's.": np.logaddexp(
            0, positive[:, None] - negative
        ).mean(),
        "That is the sum over the negatives: take the mean over all pairs.": pairs.sum(axis=1).mean(),
        "That is the sum over all pairs: take their mean.": pairs.sum(),
        "Only the best of the negatives counts there: take all pairs.": pairs.max(axis=1).mean(),
        "The negatives are averaged before they are compared: compare every pair.": np.logaddexp(
            0, negative.mean(axis=1) - positive
        ).mean(),
    }
    yield from judge_loss(
        seen,
        world,
        "bpr_loss",
        values,
        slips,
        PAIRED,
        f"{pairs.size} pairs: loss {{:.4f}}.",
    )
