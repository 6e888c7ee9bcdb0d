"""Which items of the catalogue compete for a place in a row's list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:  # scipy.sparse takes longer to load than this whole package, and most callers pass no sparse matrix
    from scipy import sparse

Seen: TypeAlias = "np.ndarray | sparse.sparray | sparse.spmatrix | None"

NO_ITEM = -1  # fills a row of targets, or a list of items, that is shorter than the others
_BLOCK = 1 << 21  # scores looked at together: temporary arrays stay at some megabytes


def candidate_blocks(
    scores: ArrayLike, seen: Seen, padding_item: int | None
) -> Iterator[tuple[slice, np.ndarray, tuple[np.ndarray, np.ndarray]]]:
    """The scores in blocks of rows, each with its pairs that do not compete.

    scores        (B, n_items) numbers
    seen          (B, n_items) bool or scipy sparse (nonzero = does not compete), or None
    padding_item  the item that competes in no row, or None
    yields        the block's rows as a slice; its scores (b, n_items); (rows, items), both (m,) int, rows from 0 within
                  the block, each pair once
    raises        ValueError for shapes that do not fit, a NaN score or a padding item outside the catalogue; TypeError
                  for scores that are not real numbers and for a seen that is neither bool nor sparse
    """
    scores = np.asarray(scores)
    if scores.dtype.kind not in "biuf":
        raise TypeError(f"scores are real numbers, found an array of {scores.dtype}")
    if scores.ndim != 2:
        raise ValueError(f"scores of shape {scores.shape}: (B, n_items) was expected")
    n_rows, n_items = scores.shape
    if padding_item is not None and not 0 <= padding_item < n_items:
        raise ValueError(f"padding_item={padding_item} does not fit {n_items} items")
    seen = checked_seen(seen)
    if seen is not None and seen.shape != scores.shape:
        raise ValueError(f"seen of shape {seen.shape} does not fit scores of shape {scores.shape}")
    step = max(1, _BLOCK // max(1, n_items))
    for start in range(0, n_rows, step):
        block = slice(start, min(start + step, n_rows))
        if scores.dtype.kind == "f" and (nan := np.isnan(scores[block])).any():
            row, item = np.argwhere(nan)[0]
            raise ValueError(f"the score of item {item} in row {start + row} is NaN, which has no rank")
        yield block, scores[block], _removed(None if seen is None else seen[block], block, padding_item)


def checked_seen(seen: Seen) -> np.ndarray | sparse.csr_array | sparse.csr_matrix | None:
    """A mask of bool, or a matrix in CSR form with each pair at most once; rows can be sliced off either.

    Raises TypeError for what is neither.
    """
    if seen is None:
        return None
    if hasattr(seen, "tocsr"):
        seen = seen.tocsr()
        if not seen.has_canonical_format:
            seen = seen.copy()
            seen.sum_duplicates()
        return seen
    expected = "seen is None, a mask of bool (B, n_items) or a scipy sparse matrix"
    try:
        mask = np.asarray(seen)
    except ValueError as error:  # lists of items, of different lengths
        raise TypeError(f"{expected}, found a {type(seen).__name__} that is no table") from error
    if mask.dtype != bool:
        raise TypeError(f"{expected}, found a {type(seen).__name__} of {mask.dtype}")
    return mask


def _removed(seen: np.ndarray | sparse.csr_array | None, block: slice, padding_item: int | None) -> tuple:
    rows, items = (np.empty(0, dtype=np.int64),) * 2 if seen is None else seen.nonzero()
    if padding_item is not None:
        others = items != padding_item
        n_rows = block.stop - block.start
        rows = np.concatenate([rows[others], np.arange(n_rows)])
        items = np.concatenate([items[others], np.full(n_rows, padding_item)])
    return rows, items
