"""Where the random numbers of splits and models come from, such that they are the original's and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral

import numpy as np
import torch

RandomState = np.random.RandomState | int | None


def as_random_state(random_state: RandomState) -> np.random.RandomState:
    """A RandomState as it is, an int as the seed of a new one, None as a new one that the operating system seeds.

    raises   TypeError for anything else, a numpy.random.Generator included: its draws are not the original's
    """
    if isinstance(random_state, np.random.RandomState):
        return random_state
    if random_state is None or isinstance(random_state, Integral):
        return np.random.RandomState(random_state)
    raise TypeError(f"random_state must be a numpy.random.RandomState, an int or None, got {type(random_state)}")


class PrivateTorchState:
    """The state of torch's global CPU generator that a model would have if nobody else ever drew from it.

    Spotlight seeds the global generator in a model's constructor and draws the weights from it in the first fit. Here
    the same numbers are drawn, whatever happens between the two, and the caller's own state is put back afterwards.
    """

    def __init__(self, seed: int) -> None:
        self._state = torch.Generator().manual_seed(seed).get_state()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Inside, torch's global CPU generator goes on from where the last such block ended."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._state)
            yield
            self._state = torch.get_rng_state()
