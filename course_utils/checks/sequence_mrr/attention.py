"""Lesson 03, attention: which places may be looked at, and the weighted mean of what is there."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from course_utils.checks.expect import Finding, expect_array, expect_close, expect_equal, likely
from course_utils.checks.framework import World, check


def contexts_world(rng: np.random.Generator) -> World:
    """Contexts without padding, with some, with one item, and empty."""
    length = int(rng.integers(5, 8))
    contexts = rng.integers(1, 50, (5, length))
    for row, n_items in enumerate((length, int(rng.integers(2, length)), 1, 0)):
        contexts[row, : length - n_items] = 0
    return World(public={"contexts": contexts})


@check(points=1, call="attention_mask(contexts)", world=contexts_world)
def attention_mask(attention_mask, world):
    """True where a place may look: at itself, and at items before it."""
    import torch

    contexts = torch.as_tensor(world.contexts)
    return {"mask": attention_mask(contexts.clone()), "one": attention_mask(contexts[:1].clone())}


@attention_mask.judge
def _(seen, world):
    n, length = world.contexts.shape
    earlier = np.array([[[j <= i for j in range(length)] for i in range(length)] for _ in range(n)])
    real = np.array([[[item > 0 for item in row] for _ in row] for row in world.contexts.tolist()])
    itself = np.array([np.eye(length, dtype=bool)] * n)
    right = (earlier & real) | itself
    rows_real = real.transpose(0, 2, 1)
    slips = {
        "The mask is the wrong way round: True is where a place may look, False where it may not.": ~right,
        "The mask is the wrong way round, and forbids a place to look at itself.": ~(earlier & real),
        "Later items can be seen: place i looks at places j <= i only.": real | itself,
        "Only later items can be seen: place i looks at places j <= i.": (~(earlier & ~itself) & real) | itself,
        "Rows and columns are swapped: mask[b, i, j] is whether place i may look at place j.": right.transpose(0, 2, 1),
        "Padding can be looked at: leave out places j where contexts is 0.": earlier,
        "A place of padding, or the first one, has nothing to look at, and softmax over nothing is NaN: let every "
        "place look at itself.": earlier & real,
        "It is the place that looks which is asked for padding; ask the place that is looked at.": (
            (earlier & rows_real) | itself
        ),
        "Places cannot look at themselves: j <= i, not j < i.": earlier & real & ~itself,
    }
    call = f"attention_mask(contexts) for contexts of shape {world.contexts.shape}"
    if np.shape(seen["mask"]) == (length, length):
        yield Finding(
            0,
            call=call,
            came_back=f"shape ({length}, {length})",
            expected=f"shape ({n}, {length}, {length})",
            slip="Each row of the batch has padding of its own: one mask a row, (B, L, L).",
        )
    yield expect_array(
        seen["mask"], shape=(n, length, length), kind="b", call=call, slip="A mask of booleans, one (L, L) a row."
    )
    slip = likely(seen["mask"], slips, "(j <= i and contexts[b, j] != 0) or j == i.")
    yield expect_equal(np.asarray(seen["mask"]).astype(int), right.astype(int), call=call, slip=slip)
    yield expect_equal(
        np.asarray(seen["one"]).astype(int),
        right[:1].astype(int),
        call="attention_mask(contexts[:1])",
        slip="A batch of one row is a batch: keep its dimension.",
        saw=f"{n} rows of {length} places: earlier items can be seen, later ones and padding cannot.",
    )


def attention_world(rng: np.random.Generator) -> World:
    """Queries, keys and values, with a mask in which every place may look at itself and at some others."""
    n, length, width = int(rng.integers(3, 5)), int(rng.integers(5, 8)), int(rng.choice([4, 8]))
    draws = {name: rng.normal(0, 1.5, (n, length, width)).astype(np.float32) for name in ("queries", "keys", "values")}
    mask = np.tril(rng.random((n, length, length)) < 0.6) | np.eye(length, dtype=bool)
    mask[:, -1] |= rng.permuted(np.arange(length) < 3)  # three places or more for the last one
    return World(public={**draws, "mask": mask})


@check(
    points=2,
    call="attention(queries, keys, values, mask)",
    world=attention_world,
    hints={"RuntimeError": "Queries times keys is (B, L, D) @ (B, D, L): keys.transpose(-2, -1), and (B, L, L) comes."},
)
def attention(attention, world):
    """Scaled dot-product attention under a mask."""
    import torch

    tensors = [torch.as_tensor(getattr(world, name)) for name in ("queries", "keys", "values", "mask")]
    return {
        "mixed": attention(*(tensor.clone() for tensor in tensors)),
        "large": attention(20 * tensors[0], 20 * tensors[1], tensors[2], tensors[3]),
    }


@attention.judge
def _(seen, world):
    queries, keys, values = (getattr(world, name).astype(float) for name in ("queries", "keys", "values"))
    mask, width = world.mask, queries.shape[-1]

    def mixed(scale=width**-0.5, mask=mask, axis=-1, factor=1.0):
        scores = np.where(mask, factor * np.einsum("bid,bjd->bij", queries, keys) * scale, -np.inf)
        with np.errstate(invalid="ignore"):
            return np.nan_to_num(softmax(scores, axis=axis)) @ values

    right = mixed()
    unmasked = softmax(np.einsum("bid,bjd->bij", queries, keys) / width**0.5, axis=-1)
    zeroed = np.where(mask, np.einsum("bid,bjd->bij", queries, keys) / width**0.5, 0)
    slips = {
        "The scores are not scaled: divide queries @ keys by the root of D.": mixed(scale=1.0),
        "That divides by D: it is the root of D.": mixed(scale=1 / width),
        "That divides by the root of L, the number of places: it is D, the length of a query.": mixed(
            scale=mask.shape[-1] ** -0.5
        ),
        "The mask has no effect: scores where it is False become minus infinity before the softmax.": mixed(
            mask=np.ones_like(mask)
        ),
        "The mask is applied after the softmax, so the weights of a place do not sum to 1: mask the scores, then take "
        "the softmax.": (unmasked * mask) @ values,
        "Where the mask is False the score must be minus infinity: 0 is a score like any other.": (
            softmax(zeroed, axis=-1) @ values
        ),
        "The softmax runs over the places that look (dim=1): it runs over those that are looked at, dim=-1.": mixed(
            axis=1
        ),
        "Mask and scores are turned: scores[b, i, j] is query i with key j.": mixed(mask=mask.transpose(0, 2, 1)),
    }
    got = np.asarray(seen["mixed"])
    slip = likely(seen["mixed"], slips, "softmax(queries @ keys.T / root of D, where the mask is True) @ values.")
    turned = mixed(mask=~mask)
    some = ~mask.all(axis=-1)  # where the opposite mask leaves something to look at
    if got.shape == right.shape and np.allclose(got[some], turned[some], atol=1e-3):
        slip = "The mask is the wrong way round: places where it is True are looked at."
    elif got.shape == right.shape and not np.isfinite(got).all():
        slip = (
            "Some weights are NaN: is the mask the wrong way round, or a row of scores all minus infinity? True is "
            "where a place may look."
        )
    yield expect_close(seen["mixed"], right, atol=1e-4, kind="f", slip=slip)
    large = mixed(factor=400.0)
    yield expect_close(
        seen["large"],
        large,
        atol=1e-3,
        call="attention(20 * queries, 20 * keys, values, mask)",
        slip="Large scores overflow in exp: use torch's softmax, or take the largest score of each row away first.",
        saw=f"{right.shape[0]} rows of {right.shape[1]} places, the same as torch's own, to four decimals.",
    )
