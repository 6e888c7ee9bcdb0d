"""Sequences in which the last few items say something about the next: a Markov chain of a chosen order.

With the same numpy.random.RandomState the interactions are identical to the original's.
"""

from __future__ import annotations

import numpy as np

from course_utils.spotlight.interactions import Interactions
from course_utils.spotlight.randomness import RandomState, as_random_state

_BALANCING_ROUNDS = 100
_BALANCED_WITHIN = 1e-3  # of 1, for the sum of every row and column


def generate_sequential(
    num_users: int = 100,
    num_items: int = 1000,
    num_interactions: int = 10000,
    concentration_parameter: float = 0.1,
    order: int = 3,
    random_state: RandomState = None,
) -> Interactions:
    """One long chain of items 1 to num_items - 1, cut into users; item 0 never occurs.

    The next item is drawn from the mean of the last `order` items' rows of a transition matrix, all items being equally
    frequent in the long run. A user's first items follow on the user before.

    num_interactions         rows in all; users get random shares of them
    concentration_parameter  of the Dirichlet distribution that the matrix is drawn from; the closer to 0, the easier
                             the next item is to predict
    returns                  Interactions sorted by user and time; ratings 1, timestamps 0 to num_interactions - 1
    """
    random_state = as_random_state(random_state)
    transitions = _transition_matrix(num_items - 1, concentration_parameter, random_state)
    user_ids = np.sort(random_state.randint(0, num_users, num_interactions, dtype=np.int32))
    return Interactions(
        user_ids,
        _chain(transitions, num_interactions, order, random_state) + 1,
        ratings=np.ones(num_interactions, dtype=np.float32),
        timestamps=np.arange(num_interactions, dtype=np.int32),
        num_users=num_users,
        num_items=num_items,
    )


def _transition_matrix(n_states: int, concentration: float, random_state: np.random.RandomState) -> np.ndarray:
    """(n_states, n_states) float64, rows exactly and columns nearly summing to 1, so that no state is preferred.

    Sinkhorn and Knopp, "Concerning nonnegative matrices and doubly stochastic matrices" (Pacific J. Math. 21(2), 1967).
    """
    matrix = random_state.dirichlet(np.repeat(concentration, n_states), n_states)
    for _ in range(_BALANCING_ROUNDS):
        if all(np.all(np.abs(1 - matrix.sum(axis)) < _BALANCED_WITHIN) for axis in (0, 1)):
            break
        matrix /= matrix.sum(axis=0)
        matrix /= matrix.sum(axis=1)[:, None]
    return matrix


def _chain(transitions: np.ndarray, n_steps: int, order: int, random_state: np.random.RandomState) -> np.ndarray:
    """(n_steps,) int32 states; the `order` states before the first are drawn at random."""
    n_states = len(transitions)
    cumulative = np.cumsum(transitions, axis=1)
    uniforms = random_state.rand(n_steps)
    states = np.empty(order + n_steps, dtype=np.int32)
    states[:order] = random_state.randint(n_states, size=order, dtype=np.int64)
    for step, uniform in enumerate(uniforms):
        row = cumulative[states[step : step + order]].mean(axis=0)
        # A row may end a rounding error below 1, and the uniform number above it.
        states[step + order] = min(row.searchsorted(uniform), n_states - 1)
    return states[order:]
