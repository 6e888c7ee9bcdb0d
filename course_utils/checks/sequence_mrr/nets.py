"""Lesson 03, the networks: a bag, a bag that forgets, a recurrent net and a Transformer; how they are looked at is in
`looking`.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import expect, expect_array
from course_utils.checks.framework import check
from course_utils.checks.sequence_mrr.looking import (
    LENGTH,
    N_FACTORS,
    N_GROUPS,
    NOT_LEARNT,
    PADS,
    a_film_twice_is_the_same_mean,
    all_items_and_their_order_matter,
    chain_world,
    form_of_scores,
    groups_world,
    learns,
    look_at,
    order_changes_nothing,
    padding_changes_nothing,
)

NO_FORWARD = "The module needs a method called `forward` that takes contexts (B, L)."
TOO_LONG = (
    "An index does not fit a table: item ids go up to n_items - 1, and contexts are (B, L) with any L up to `length`."
)
SHAPES = "A tensor operation does not fit its shapes: contexts are (B, L), item vectors (B, L, D), scores (B, n_items)."


HINTS = {"NotImplementedError": NO_FORWARD, "IndexError": TOO_LONG, "RuntimeError": SHAPES}


@check(points=2, call="CBOW(n_items, n_factors)", world=groups_world, hints=HINTS)
def cbow(CBOW, world):
    """The mean vector of the real items of a context, against every item's vector."""
    return look_at(CBOW(world.n_items, N_FACTORS), world)


@cbow.judge
def _(seen, world):
    yield from form_of_scores(seen, world)
    yield from padding_changes_nothing(seen, slip_of_padding(seen))
    yield order_changes_nothing(seen, "A bag of items has no order: every item of the context counts the same.")
    slip = "The state is the mean of the vectors: divide their sum by the number of real items."
    yield a_film_twice_is_the_same_mean(seen, world, slip)
    saw = "Padding and order change nothing, and a gradient reaches every parameter."
    yield from learns(seen, world, saw, data=f"made-up contexts of {N_GROUPS} groups")


def slip_of_padding(seen) -> str:
    """Why zeros in front may change the scores of a bag."""
    rows = [np.asarray(seen[name], dtype=float).ravel() for name in ("row_zero_before", "row_zero")]
    (before, without), (after, _) = (row if len(row) == 2 else np.zeros(2) for row in rows)
    mask = "Multiply the vectors by (contexts != 0)[:, :, None] before they are summed: then row 0 may hold anything."
    if without > 0:
        return (
            "Padding is learnt as an item: padding_idx=0 keeps its vector at zero, and a mask keeps it out of the sum "
            "and of the number of items."
        )
    if before > 0:
        return f"Row 0, the padding's vector, is not zero at the start: nn.init overwrites it. {mask}"
    if after > 0:
        return (
            f"Row 0, the padding's vector, has moved in training: padding_idx stops the lookup's gradient only. {mask}"
        )
    return "The sum is divided by L, padding included: divide by the number of real items (at least 1)."


@check(points=2, call="DecayedBag(n_items, n_factors, length)", world=chain_world, hints=HINTS)
def decayed_bag(DecayedBag, world):
    """A weighted mean of the real items, with a learnt weight for every place."""
    return look_at(DecayedBag(world.n_items, N_FACTORS, LENGTH + PADS), world, short=True)


@decayed_bag.judge
def _(seen, world):
    yield from form_of_scores(seen, world)
    slip = (
        "Either padding gets a weight (multiply the weights by contexts != 0, then divide by their sum), or places are "
        "numbered from the left edge, so that zeros in front move them: the last place always has the last weight."
    )
    yield from padding_changes_nothing(seen, slip)
    slip = "Each place needs a learnt weight of its own, which the mean is taken with: does the parameter reach it?"
    yield from all_items_and_their_order_matter(seen, f"The last two places count the same. {slip}")
    slip = "The state is a weighted mean: divide the weights of the real items by their sum."
    yield a_film_twice_is_the_same_mean(seen, world, slip)
    slip = (
        "A weighted mean, scored by the very vectors that it is made of, only finds items that are alike: put the mean "
        f"through a linear map, or score by a table of its own. Where that is so already: {NOT_LEARNT}"
    )
    saw = "Padding changes nothing, the place of every item counts, and all parameters learn."
    yield from learns(seen, world, saw, slip=slip)


@check(
    points=3,
    call="RecurrentNet(n_items, n_factors)",
    world=chain_world,
    hints={
        **HINTS,
        "RuntimeError": SHAPES + " pack_padded_sequence needs lengths of at least 1: an empty context has 0.",
    },
)
def recurrent(RecurrentNet, world):
    """A GRU or LSTM over the real items of a context."""
    return look_at(RecurrentNet(world.n_items, N_FACTORS), world)


@recurrent.judge
def _(seen, world):
    yield from form_of_scores(seen, world)
    slip = (
        "The layer runs over the padding: its state moves at every zero, even where the vector is zero. Bring the "
        "items to the left and pack them, or keep the state where there is padding."
    )
    spread, far = (
        float(np.std(np.asarray(seen[name], dtype=float), axis=0).mean()) for name in ("scores", "many_pads")
    )
    if far < 0.05 * spread:
        slip = (
            "The last hidden state is taken at a padded place: behind the items there are zeros, and after many of "
            "them nothing is left of the items. Take it at the place of the last real item."
        )
    yield from padding_changes_nothing(seen, slip)
    slip = "The network does not see the order of the items: is the state of the last one taken, and not their mean?"
    yield from all_items_and_their_order_matter(seen, slip)
    yield from learns(seen, world, "Padding changes nothing, order does, and a gradient reaches every parameter.")


@check(points=3, call="CausalTransformer(n_items, n_factors, length)", world=chain_world, hints=HINTS)
def transformer(CausalTransformer, world):
    """A state at every place, from the items up to there; the last one is scored against all items."""
    model = CausalTransformer(world.n_items, N_FACTORS, LENGTH + PADS)
    return look_at(model, world, states=model.states, short=True)


@transformer.judge
def _(seen, world):
    yield from form_of_scores(seen, world)
    call = "model.states(contexts)"
    n_rows, slip = len(world.contexts), "One vector of n_factors numbers for every place: (B, L, n_factors)."
    for name in ("states", "states_later"):
        yield expect_array(seen[name], shape=(n_rows, LENGTH, N_FACTORS), kind="f", call=call, slip=slip)
    earlier = np.abs(seen["states"][:, :-2] - seen["states_later"][:, :-2]).max()
    yield expect(
        earlier < 1e-4,
        call=f"{call} with other items at the last two places",
        came_back=f"states at earlier places that differ by up to {earlier:.3g}",
        expected="the same states at all earlier places",
        slip="Later items leak into earlier states: place i may look at places j <= i only. Is there a mask, and is it "
        "the right way round (True: may be looked at)?",
    )
    slip = (
        "Either padding is looked at (is the mask the right way round, and does it leave padding out?), or places are "
        "numbered from the left edge, so that zeros in front move them: count from the first real item or the right."
    )
    behind, plain = np.asarray(seen["states_padded"]), np.asarray(seen["states"])
    if behind.shape == (n_rows, PADS + LENGTH, N_FACTORS) and np.allclose(behind[:, PADS:], plain, atol=1e-4):
        slip = (
            "Zeros in front change no state of an item, but they do change the scores: those come from the last state, "
            "self.states(contexts)[:, -1], not from the first or from the mean of all."
        )
    yield from padding_changes_nothing(seen, slip)
    slip = "The network does not see the order of the items: add a vector for the place to each item's vector."
    yield from all_items_and_their_order_matter(seen, slip)
    yield from learns(seen, world, "No later item leaks into an earlier state, and padding changes nothing.")
