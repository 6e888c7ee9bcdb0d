"""What a probe saw, as plain arrays: the only thing that crosses from the student's process to the judge's.

An observation is a dict of arrays. It is written as .npz without pickles, so that reading one can run no code.
"""

from __future__ import annotations

import io
import sys
import zipfile

import numpy as np

MAX_BYTES = 64 * 2**20
"""An observation larger than this is not stored."""

ERROR_KEY = "__error__"
STORABLE_KINDS = "biufcU"


class Unusable:
    """Stands where a probe brought back something that is no plain array: a judge sees only the description."""

    def __init__(self, description: str):
        self.description = description

    def __repr__(self) -> str:
        return self.description


class Observation(dict):
    """The arrays of one probe by name. A name that is missing reads as `Unusable`, so no judge needs to ask."""

    def __missing__(self, name: str) -> Unusable:
        return Unusable("nothing")

    @property
    def error(self) -> dict[str, str] | None:
        """What the student's code raised: keys type, message, where; None if it ran to its end."""
        texts = self.get(ERROR_KEY)
        if texts is None:
            return None
        texts = [str(text) for text in np.atleast_1d(texts)] if not isinstance(texts, Unusable) else []
        texts += [""] * 3
        return {"type": texts[0] or "Exception", "message": texts[1], "where": texts[2]}


def pack(seen: dict) -> bytes:
    """A probe's dict as the bytes of an .npz file.

    seen     names to torch tensors, arrays, numbers, strings, or lists of these; None stands for "nothing came back".
             What cannot be stored without pickles is replaced by a one-line description of it.
    returns  bytes of the .npz
    """
    arrays: dict[str, np.ndarray] = {}
    for name, value in seen.items():
        array = as_array(value)
        if isinstance(array, np.ndarray) and sum(a.nbytes for a in arrays.values()) + array.nbytes > MAX_BYTES:
            array = Unusable(f"an array of shape {array.shape}, too large to be stored")
        if isinstance(array, Unusable):
            arrays[f"{name}!"] = np.array(array.description)
        else:
            arrays[name] = array
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> Observation:
    """The inverse of `pack`. Bytes that are no such file give an observation with an error, never an exception."""
    seen = Observation()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > 2 * MAX_BYTES:
                raise ValueError("too large")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            for name in arrays.files:
                array = arrays[name]
                if not isinstance(array, np.ndarray):  # a member of the archive that is no .npy file
                    seen[name] = Unusable("bytes that are no array")
                elif name.endswith("!"):
                    seen[name[:-1]] = Unusable(str(array)[:500])
                elif array.dtype.kind in STORABLE_KINDS:
                    seen[name] = array
                else:
                    seen[name] = Unusable(f"an array of dtype {array.dtype}")
    except Exception as problem:  # a damaged archive may raise nearly anything: zlib.error, MemoryError, BadZipFile
        return Observation({ERROR_KEY: np.array(["UnreadableObservation", str(problem)[:500], ""])})
    return seen


def as_array(value) -> np.ndarray | Unusable:
    """The value as an array of numbers, booleans or text, else a description of what it is."""
    if value is None:
        return Unusable("None")
    torch = sys.modules.get("torch")
    try:
        if torch is not None and isinstance(value, torch.Tensor):
            value = value.detach().cpu().resolve_conj().resolve_neg()
            array = np.asarray(value.float() if value.dtype in (torch.bfloat16, torch.float16) else value)
        elif torch is not None and isinstance(value, list | tuple) and any(isinstance(v, torch.Tensor) for v in value):
            array = np.array([np.asarray(as_array(v)) for v in value])
        else:
            array = np.asarray(value)
    except Exception:  # a student's object may raise anything when it is looked at
        return Unusable(describe_type(value))
    if array.dtype.kind not in STORABLE_KINDS:
        return Unusable(describe_type(value))
    return array


def describe_type(value) -> str:
    """`a list`, `a function called fit`: what a value is, without asking the value itself."""
    name = type(value).__name__
    article = "an" if name[:1].lower() in "aeiou" else "a"
    return f"{article} {name}, where numbers were expected"
