"""What every training loop needs and no lesson is about: how long to train, seeds, batches.

Importing this module also sets torch's number of threads from OMP_NUM_THREADS (1 where it is not given), because torch
only reads that variable when it is itself imported, and may have been imported before.
"""

import os
import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1").split(",")[0]))


class RatingTensors(NamedTuple):
    """Ratings as a training loop takes them.

    user_ids  (n,) int64, dense from 0
    item_ids  (n,) int64, dense from 0
    ratings   (n,) float32, stars
    """

    user_ids: Tensor
    item_ids: Tensor
    ratings: Tensor


def budget(full: int = 20, fast: int = 1) -> int:
    """How much work to do, in any unit (epochs, say): `full`, or `fast` where the environment has COURSE_BUDGET=fast.

    Under nbgrader's Validate, which keeps JupyterLab waiting, it is `fast` unless the environment says otherwise.

    raises   ValueError if COURSE_BUDGET is neither fast nor full
    """
    chosen = os.environ.get("COURSE_BUDGET", "fast" if "NBGRADER_VALIDATING" in os.environ else "full")
    if chosen not in ("fast", "full"):
        raise ValueError(f"COURSE_BUDGET is {chosen!r}; it must be 'fast' or 'full' (the default)")
    return fast if chosen == "fast" else full


def seed_everything(seed: int) -> torch.Generator:
    """Seed the global generators of Python, NumPy and torch, for code that draws from them (as an nn.Module does).

    returns  a generator with the same seed, for everything that takes one
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002, the global generator is the point
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def batches(
    *tensors: Tensor, batch_size: int, generator: torch.Generator | None = None
) -> Iterator[tuple[Tensor, ...]]:
    """Cut tensors of the same length into batches, in order or, given a generator, in one random order for all.

    tensors    each (n, ...), any dtype
    generator  draws one permutation at the start; None keeps the order
    yields     tuples with a piece of every tensor, batch_size rows each; the last may be shorter, and is never dropped.
               Nothing for n = 0.
    raises     ValueError if there is no tensor, the lengths differ or batch_size is less than 1
    """
    lengths = {len(tensor) for tensor in tensors}
    if len(lengths) != 1:
        raise ValueError(f"batches needs tensors of one length, got {[len(tensor) for tensor in tensors]}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    return _batches(tensors, lengths.pop(), batch_size, generator)


def _batches(
    tensors: tuple[Tensor, ...], n: int, batch_size: int, generator: torch.Generator | None
) -> Iterator[tuple[Tensor, ...]]:
    if generator is not None:
        # Reordering whole tensors once and slicing them is many times faster than fetching row by row.
        order = torch.randperm(n, generator=generator, device=generator.device)
        tensors = tuple(tensor[order.to(tensor.device)] for tensor in tensors)
    for start in range(0, n, batch_size):
        yield tuple(tensor[start : start + batch_size] for tensor in tensors)
