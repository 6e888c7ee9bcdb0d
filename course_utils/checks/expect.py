"""What judges say about an observation. Each `expect_*` looks at one thing and returns a `Finding`.

Shape and dtype are compared before values. Nothing here trusts the observation: a missing value, a wrong type, NaN
and the wrong shape all end in a finding that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from course_utils.checks.observation import Unusable
from course_utils.checks.standing import Standing

KIND_NAMES = {"i": "whole numbers", "f": "floating-point numbers", "b": "booleans", "U": "text"}


@dataclass(frozen=True)
class Finding:
    """One thing a judge found.

    share      float in [0, 1]: the part of the points this finding leaves standing; below 1 it is a failure
    saw        what was seen, one sentence, said on success or partial success
    call       what was called; empty means the check's own call
    came_back  on failure: what came back
    expected   on failure: what was expected
    slip       on failure: the likely mistake
    ladder     where a ladder is climbed: the model's place on it
    """

    share: float
    saw: str = ""
    call: str = ""
    came_back: str = ""
    expected: str = ""
    slip: str = ""
    ladder: Standing | None = None

    @property
    def ok(self) -> bool:
        return self.share >= 1


def expect_array(seen, *, shape: tuple | None = None, kind: str = "", call: str = "", slip: str = "") -> Finding:
    """The observation is an array of the given shape (None accepts any length there), kind and without NaN.

    kind  letters of `numpy.dtype.kind` that are accepted, e.g. "f" or "iu"; empty accepts numbers and booleans
    """
    wanted = "an array" if shape is None else "one number" if shape == () else f"shape {format_shape(shape)}"
    if kind:
        wanted += f" of {KIND_NAMES.get(kind[0], kind)}"
    if isinstance(seen, Unusable):
        slip = "Nothing came back: is a `return` missing?" if seen.description == "None" else slip
        return Finding(0, call=call, came_back=seen.description, expected=wanted, slip=slip)
    seen = np.asarray(seen)
    fits = shape is None or (
        seen.ndim == len(shape)
        and all(want is None or want == got for want, got in zip(shape, seen.shape, strict=True))
    )
    if not fits:
        return Finding(0, call=call, came_back=f"shape {format_shape(seen.shape)}", expected=wanted, slip=slip)
    if seen.dtype.kind not in (kind or "biuf"):
        return Finding(0, call=call, came_back=f"dtype {seen.dtype}", expected=wanted, slip=slip)
    if seen.dtype.kind == "f" and not np.isfinite(seen).all():
        what = f"{int(np.sum(~np.isfinite(seen)))} of {seen.size} values are NaN or infinite"
        return Finding(0, call=call, came_back=what, expected="finite numbers", slip=slip)
    return Finding(1, call=call)


def expect_close(
    seen,
    expected,
    *,
    atol: float = 1e-5,
    rtol: float = 1e-5,
    kind: str = "",
    call: str = "",
    slip: str = "",
    saw: str = "",
) -> Finding:
    """The observation equals `expected` in shape and, within the tolerances, in every value."""
    expected = np.asarray(expected)
    finding = expect_array(seen, shape=expected.shape, kind=kind, call=call, slip=slip)
    if not finding.ok:
        return finding
    seen = np.asarray(seen)
    close = np.isclose(seen.astype(float), expected.astype(float), atol=atol, rtol=rtol)
    if close.all():
        return Finding(1, call=call, saw=saw)
    if expected.ndim == 0:
        return Finding(0, call=call, came_back=format_value(seen), expected=format_value(expected), slip=slip)
    where = tuple(int(i) for i in np.argwhere(~close)[0])
    place = f"[{', '.join(map(str, where))}]"
    came_back = f"{format_value(seen)}; {int((~close).sum())} of {close.size} values differ, the first at {place}: "
    came_back += format_value(seen[where])
    return Finding(
        0,
        call=call,
        came_back=came_back,
        expected=f"{format_value(expected)}; at {place}: {format_value(expected[where])}",
        slip=slip,
    )


def expect_equal(seen, expected, *, call: str = "", slip: str = "", saw: str = "") -> Finding:
    """The observation equals `expected` exactly: for whole numbers, booleans and text."""
    expected = np.asarray(expected)
    if expected.dtype.kind != "U":
        return expect_close(seen, expected, atol=0, rtol=0, call=call, slip=slip, saw=saw)
    finding = expect_array(seen, shape=expected.shape, kind="U", call=call, slip=slip)
    if not finding.ok or np.array_equal(seen, expected):
        return Finding(1, call=call, saw=saw) if finding.ok else finding
    return Finding(0, call=call, came_back=format_value(seen), expected=format_value(expected), slip=slip)


def expect(
    condition: bool, *, came_back: str = "", expected: str = "", call: str = "", slip: str = "", saw: str = ""
) -> Finding:
    """A property that the judge has worked out itself."""
    if condition:
        return Finding(1, call=call, saw=saw)
    return Finding(0, call=call, came_back=came_back, expected=expected, slip=slip)


def returned(answer, *names: str, case: str = "") -> dict:
    """What a function of several values gave: each by its name, or only a description where their number is wrong."""
    values = tuple(answer) if isinstance(answer, tuple | list) else (answer,)
    fits = len(values) == len(names)
    types = ", ".join(type(value).__name__ for value in values[:6])
    seen = {"fits" + case: fits, "returned" + case: f"{len(values)} value{'s' * (len(values) != 1)}: {types}"}
    return {**seen, **{name + case: value for name, value in zip(names, values, strict=False) if fits}}


def expect_returned(seen, expected: str) -> Finding:
    """As many values came back as the text states."""
    slip = "Compare your return line with the text above: how many values, and in which order?"
    return expect(bool(seen["fits"]), came_back=str(seen["returned"]), expected=expected, slip=slip)


def likely(seen, mistakes: Mapping[str, np.ndarray | float], otherwise: str) -> str:
    """The slip whose result is what came back; of several numbers that come to nearly the same, the nearest."""
    alike = {slip: result for slip, result in mistakes.items() if expect_close(seen, result).ok}
    if len(alike) > 1 and np.asarray(seen).dtype.kind == "f":
        return min(alike, key=lambda slip: np.abs(seen - alike[slip]).max(initial=0))
    return next(iter(alike), otherwise)


def format_shape(shape: tuple) -> str:
    """`(3, any)`: a shape, where None stands for any length."""
    inside = ", ".join("any" if n is None else str(n) for n in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def format_value(value) -> str:
    """A number or the first values of an array, in at most 120 characters."""
    value = np.asarray(value)
    text = np.array2string(value, precision=4, threshold=6, edgeitems=3, separator=", ", suppress_small=True)
    text = " ".join(text.split())
    if value.ndim == 0:
        return text if value.dtype.kind != "f" else f"{float(value):.6g}"
    return (text if len(text) <= 120 else text[:117] + "...") + f" of shape {format_shape(value.shape)}"
