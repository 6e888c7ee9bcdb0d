"""Lesson 03, the networks, judged by what they do, whatever their layers are called.

Every network here turns contexts (B, L) of item ids into scores (B, n_items) for the item that comes next. Padding in
front must change nothing, rows of a batch must not feel each other, and a gradient must reach every parameter. Last,
the probe trains it on made-up data whose best possible MRR is known.
"""

from __future__ import annotations

import numpy as np

from course_utils.checks.expect import Finding, expect, expect_array
from course_utils.checks.framework import World

N_FACTORS, N_STATES, LENGTH = 16, 10, 5
PADS, MANY_PADS = 3, 60
N_WINDOWS, STEPS, BATCH, RATE = 2000, 200, 100, 0.02
SUCCESSOR_PROBS = np.array([0.7, 0.2, 0.1])
N_GROUPS, GROUP_PROBS = 4, np.array([0.5, 0.25, 0.15, 0.1])
ENOUGH = 0.9  # of the best possible MRR; the reference reaches 0.99, popularity about 0.4


def chain_world(rng: np.random.Generator) -> World:
    """Contexts to look at the network with, and a chain in which each item is followed by one of three others."""
    n_items = N_STATES + 1
    chances = np.zeros((n_items, n_items))
    for item in range(1, n_items):
        chances[item, rng.choice(np.arange(1, n_items), len(SUCCESSOR_PROBS), replace=False)] = SUCCESSOR_PROBS
    n, length = N_WINDOWS, LENGTH + 1
    windows = np.empty((n, length), dtype=np.int64)
    windows[:, 0] = rng.integers(1, n_items, n)
    for place in range(1, length):
        below = np.cumsum(chances[windows[:, place - 1]], axis=1)
        windows[:, place] = (rng.random((n, 1)) >= below).sum(axis=1).clip(max=N_STATES)
    for row, n_pads in enumerate(rng.integers(0, LENGTH, n)):
        windows[row, :n_pads] = 0
    contexts = np.array([rng.choice(np.arange(1, n_items), LENGTH, replace=False) for _ in range(6)])
    public = {
        "n_items": n_items,
        "contexts": contexts,
        "train_contexts": windows[:, :-1],
        "train_targets": windows[:, -1],
        "asked": windows[rng.choice(n, 60, replace=False), :-1],
    }
    return World(public=public, secret={"chances": chances})


def groups_world(rng: np.random.Generator) -> World:
    """Items in four groups: a context is of one group, and so is what comes next. A bag is enough to know it."""
    n_items = 1 + N_GROUPS * len(GROUP_PROBS)
    groups = (1 + rng.permutation(n_items - 1)).reshape(N_GROUPS, -1)
    chances = np.zeros((n_items, n_items))
    for group in groups:
        chances[np.ix_(group, group)] = GROUP_PROBS
    own = rng.integers(0, N_GROUPS, N_WINDOWS)
    windows = np.array([rng.choice(groups[group], LENGTH) for group in own])
    for row, n_pads in enumerate(rng.integers(0, LENGTH, len(windows))):
        windows[row, :n_pads] = 0
    contexts = np.array([rng.choice(np.arange(1, n_items), LENGTH, replace=False) for _ in range(6)])
    public = {
        "n_items": n_items,
        "contexts": contexts,
        "train_contexts": windows,
        "train_targets": np.array([rng.choice(groups[group], p=GROUP_PROBS) for group in own]),
        "asked": windows[rng.choice(len(windows), 60, replace=False)],
    }
    return World(public=public, secret={"chances": chances})


def look_at(model, world, states=None, short: bool = False) -> dict:
    """What a judge needs of a network, before and after it was trained on made-up data.

    states  for a network with a state at every place: contexts (B, L) -> (B, L, D)
    short   whether its contexts have at most LENGTH + PADS places
    """
    import torch

    contexts = torch.as_tensor(world.contexts)

    def padded(n: int) -> torch.Tensor:
        return torch.cat([torch.zeros(len(contexts), n, dtype=torch.int64), contexts], dim=1)

    def scores(given: torch.Tensor):
        """A copy, as it may be a view of what is trained; the padding's column may hold anything, and is left out."""
        result = model(given)
        if not isinstance(result, torch.Tensor) or result.shape != (len(given), world.n_items):
            return result
        return result.index_fill(1, torch.tensor([0]), 0.0)

    later = contexts.clone()
    later[:, -2:] = contexts[:, -2:].roll(1, 0)
    moved = {"swapped": swap(contexts, -1, -2), "early_swapped": swap(contexts, 0, 1)}
    moved |= {name: replace(contexts, place) for name, place in (("first", 0), ("middle", LENGTH // 2))}
    model.eval()
    with torch.no_grad():
        seen = {"scores": scores(contexts)}
        if getattr(seen["scores"], "shape", None) != (len(contexts), world.n_items):
            return seen
        seen["alone"] = torch.cat([scores(row[None]) for row in contexts])
        seen |= {"padded": scores(padded(PADS)), "empty": scores(0 * contexts[:2])}
        seen |= {"once": scores(contexts[:, -1:]), "twice": scores(contexts[:, [-1, -1]])}
        seen |= {f"{name}_before": scores(given) for name, given in moved.items()}
        if not short:
            seen["many_pads"] = scores(padded(MANY_PADS))
        if states:
            seen |= {"states": states(contexts), "states_later": states(later), "states_padded": states(padded(PADS))}
    seen["row_zero_before"] = row_zero(model, world)
    seen["without_gradient"] = train_on_windows(model, world)
    seen["row_zero"] = row_zero(model, world)
    model.eval()
    with torch.no_grad():
        seen |= {"trained": scores(torch.as_tensor(world.asked)), "later_scores": scores(contexts)}
        seen["later_padded"] = scores(padded(PADS))
        seen |= {f"{name}_after": scores(given) for name, given in moved.items()}
    return seen


def a_film_twice_is_the_same_mean(seen, world, slip: str) -> Finding:
    """A mean of one vector twice is that vector; what a model adds for films of the context stands in their columns."""
    once, twice = (np.array(seen[name], dtype=float) for name in ("once", "twice"))
    if once.shape != twice.shape or once.shape != np.shape(seen["scores"]):
        return Finding(0, came_back=f"scores of shape {once.shape} for contexts of one item", slip=slip)
    others = np.arange(world.n_items) != world.contexts[:, -1:]
    gap = float(np.abs(once - twice)[others].max())
    return expect(
        gap < 1e-4 * max(1.0, float(np.abs(once).max())),
        call="model(contexts) with the one item [5], and with [5, 5]",
        came_back=f"scores of other items that differ by up to {gap:.3g}",
        expected="the same scores: a mean of one vector twice is that vector",
        slip=slip,
    )


def swap(contexts, i: int, j: int):
    """A copy with two places swapped."""
    swapped = contexts.clone()
    swapped[:, [i, j]] = contexts[:, [j, i]]
    return swapped


def replace(contexts, place: int):
    """A copy with the items of one place turned round among the rows."""
    replaced = contexts.clone()
    replaced[:, place] = contexts[:, place].roll(1, 0)
    return replaced


def row_zero(model, world) -> np.ndarray:
    """(2,) the largest number in row 0 of tables of items that have a `padding_idx`, and of those that have none."""
    import torch

    tables = [
        layer
        for layer in model.modules()
        if isinstance(layer, torch.nn.Embedding | torch.nn.EmbeddingBag)
        and (layer.num_embeddings, layer.embedding_dim) == (world.n_items, N_FACTORS)
    ]
    kinds = [[t for t in tables if (t.padding_idx is None) == without] for without in (False, True)]
    return np.array([max((float(t.weight.detach()[0].abs().max()) for t in kind), default=0.0) for kind in kinds])


def train_on_windows(model, world) -> np.ndarray:
    """Train by Adam on cross-entropy; returns the names of the parameters that no gradient reached."""
    import torch

    generator = torch.Generator().manual_seed(0)
    contexts, targets = torch.as_tensor(world.train_contexts), torch.as_tensor(world.train_targets)
    parameters = list(model.parameters())
    if not parameters:
        return np.array(["(there are none)"])
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    reached = set()
    model.train()
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        rows = torch.randint(len(targets), (BATCH,), generator=generator)
        loss = torch.nn.functional.cross_entropy(model(contexts[rows])[:, 1:], targets[rows] - 1)  # padding apart
        optimizer.zero_grad()
        if loss.requires_grad:
            loss.backward()
        optimizer.step()
        reached |= {name for name, p in model.named_parameters() if p.grad is not None}
    return np.array(
        [name for name, p in model.named_parameters() if name not in reached and p.requires_grad], dtype=str
    )


def form_of_scores(seen, world):
    """Findings about shape, the rows of a batch, and an empty context."""
    n, slip = len(world.contexts), "One score for every item: state @ item vectors transposed gives (B, n_items)."
    if np.ndim(seen["scores"]) == 3:
        slip = "That is one row of scores for every place: only the item after the last place is asked for."
    elif np.shape(seen["scores"]) == (n, world.n_items - 1):
        slip = "There is a column for every id, the padding's column 0 included."
    yield expect_array(
        seen["scores"],
        shape=(n, world.n_items),
        kind="f",
        call=f"model(contexts) for contexts (B={n}, L={LENGTH}) and n_items={world.n_items}",
        slip=slip,
    )
    yield expect_array(seen["alone"], shape=seen["scores"].shape, call="model(contexts[b : b + 1])", slip=slip)
    yield expect(
        np.allclose(seen["alone"], seen["scores"], atol=1e-4),
        call="model(contexts[b : b + 1]) for each row b alone",
        came_back="other scores than in the batch of all rows",
        expected="the same scores",
        slip="Rows of a batch feel each other: batch and time are swapped. PyTorch's recurrent layers take (L, B, D) "
        "unless batch_first=True; softmax and mean run over places, not over rows.",
    )
    yield expect_array(
        seen["empty"],
        shape=(2, world.n_items),
        kind="f",
        call="model(contexts) where a context holds padding alone",
        slip="An empty context is no error: mind a division by 0 items, a length of 0, and softmax over nothing.",
    )


def padding_changes_nothing(seen, slip: str):
    """Findings: the scores with PADS more zeros in front are the same, before training and after it."""
    for when, plain, padded in (("", "scores", "padded"), (", after some training", "later_scores", "later_padded")):
        for name in (plain, padded):
            yield expect_array(seen[name], shape=seen["scores"].shape, kind="f", slip=slip)
        difference = float(np.abs(seen[padded] - seen[plain]).max())
        yield expect(
            difference < 1e-4 * max(1.0, float(np.abs(seen[plain]).max())),  # a slip moves scores by a tenth or more
            call=f"model(contexts) with {PADS} more zeros in front{when}",
            came_back=f"scores that differ by up to {difference:.3g}",
            expected="the same scores",
            slip=slip,
        )


def same_scores(seen, name: str) -> bool:
    """Whether a change of the contexts moved no score, neither before training nor after it."""
    return all(
        np.abs(np.subtract(seen[f"{name}_{when}"], seen[plain])).max() < 1e-5 * max(1.0, np.abs(seen[plain]).max())
        for when, plain in (("before", "scores"), ("after", "later_scores"))
    )


def order_changes_nothing(seen, slip: str) -> Finding:
    """Swapping the last two items leaves the scores as they are, before training and after it."""
    return expect(
        same_scores(seen, "swapped"),
        call="model(contexts) with the last two items swapped",
        came_back="other scores",
        expected="the same scores",
        slip=slip,
    )


def all_items_and_their_order_matter(seen, slip: str):
    """Findings: every item of the context moves the scores, and so does the order of the last and the first items.

    Some networks start with scores that are all alike: a change counts if it is seen before training or after it.
    """
    only_last = (
        "The scores come from the last items alone: all items of the context must be in the state, by a recurrent "
        "layer, attention or weights that reach back to the first."
    )
    early = "The order of the earlier items is lost: only the last is told from the others. " + slip
    changes = {
        "swapped": ("the last two items swapped", slip),
        "first": ("another item at the first place", only_last),
        "middle": ("another item in the middle", only_last),
        "early_swapped": ("the first two items swapped", early),
    }
    for name, (change, likely_slip) in changes.items():
        yield expect(
            not same_scores(seen, name),
            call=f"model(contexts) with {change}, before training and after it",
            came_back="the same scores",
            expected="other scores",
            slip=likely_slip,
        )


NOT_LEARNT = (
    "The network does not learn what comes next: are the items' vectors in the state, does the state reach the scores, "
    "and are vectors at the start neither all alike nor far larger than 1?"
)


def learns(seen, world, saw: str, data: str = f"a made-up chain of {N_STATES} items", slip: str = NOT_LEARNT):
    """Findings about gradients, and about the made-up data that the probe trained the network on."""
    names = np.atleast_1d(seen["without_gradient"]).tolist()
    yield expect(
        not names,
        call="the gradients of cross-entropy on model(contexts)",
        came_back=f"none in {', '.join(map(str, names[:4]))}",
        expected="a gradient in every parameter",
        slip="A gradient must reach every parameter: no layers that are not used, no .detach(), .data or copies.",
    )
    chances = world.chances[world.asked[:, -1]]  # (n, n_items), of what comes next
    yield expect_array(seen["trained"], shape=chances.shape, kind="f", slip="Scores (B, n_items), after training, too.")
    best, popular = expected_mrr(chances, chances), expected_mrr(world.chances.sum(axis=0) + 0 * chances, chances)
    got = expected_mrr(np.asarray(seen["trained"], dtype=float), chances)
    yield expect(
        got >= ENOUGH * best,
        call=f"model after {STEPS} steps of Adam on {data}",
        came_back=f"MRR {got:.3f}",
        expected=f"{ENOUGH * best:.3f} or more: the best possible is {best:.3f}, popularity gets {popular:.3f}",
        slip=slip,
        saw=f"{saw} On {data} it reaches {got / best:.0%} of the best possible MRR.",
    )


def expected_mrr(scores: np.ndarray, chances: np.ndarray) -> float:
    """The MRR to expect of these scores (n, n_items) where each item comes next with its chance, padding apart."""
    scores, chances = scores[:, 1:], chances[:, 1:]
    better = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    equal = (scores[:, None, :] == scores[:, :, None]).sum(axis=2)
    return float((chances / (1 + better + (equal - 1) / 2)).sum(axis=1).mean())
