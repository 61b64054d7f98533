"""numpy arrays in a pickle: their sizes and dtypes. numpy scalars do not count as tensors."""

from __future__ import annotations

from typing import Any

from grouper.model.pickle.values import Call, Global

_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def array(name: str, value: Call) -> tuple[Any, str] | None:
    """The raw size and the dtype; None for anything but an array of numbers."""
    arguments, state = value.arguments, value.state
    size = kind = None
    if name.endswith(".multiarray._reconstruct") and isinstance(state, tuple) and len(state) == 5:
        _, size, kind, _, _ = state
    elif name.endswith(".numeric._frombuffer") and isinstance(arguments, tuple):
        kind, size = arguments[1:3] if len(arguments) == 4 else (None, None)
    dtype = _dtype(kind)
    return None if dtype is None else (size, dtype)


def _dtype(kind: Any) -> str | None:
    """The dtype from `numpy.dtype("f4", ...)`, or from a class of another package (bfloat16)."""
    if not isinstance(kind, Call) or not isinstance(kind.function, Global):
        return None
    if kind.function.dotted != "numpy.dtype" or not isinstance(kind.arguments, tuple):
        return None
    spec = kind.arguments[0] if kind.arguments else None
    if isinstance(spec, Global):
        return spec.name
    if not isinstance(spec, str) or len(spec) > 8:
        return None
    letter, size = spec.lstrip("<>|=")[:1], spec.lstrip("<>|=")[1:]
    if letter == "b":
        return "bool"
    if letter in _KINDS and size.isascii() and size.isdigit():
        return f"{_KINDS[letter]}{8 * int(size)}"
    return None
