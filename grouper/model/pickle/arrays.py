"""numpy's arrays in a pickle: their sizes and dtypes. Its scalars are numbers, and no tensors."""

from __future__ import annotations

from typing import Any

from grouper.model.pickle.values import Call, Global

_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def array(name: str, value: Call) -> tuple[Any, str] | None:
    """The size, as the pickle has it, and the dtype; None for what is no array of numbers."""
    arguments, state = value.arguments, value.state
    size = kind = None
    if name.endswith(".multiarray._reconstruct") and isinstance(state, tuple) and len(state) == 5:
        _, size, kind, _, _ = state
    elif name.endswith(".numeric._frombuffer") and isinstance(arguments, tuple):
        kind, size = arguments[1:3] if len(arguments) == 4 else (None, None)
    dtype = _dtype(kind)
    return None if dtype is None else (size, dtype)


def _dtype(kind: Any) -> str | None:
    """`numpy.dtype("f4", ...)`; a class where another package defines the dtype (bfloat16)."""
    if not isinstance(kind, Call) or not isinstance(kind.function, Global):
        return None
    if kind.function.dotted != "numpy.dtype" or not isinstance(kind.arguments, tuple):
        return None
    given = kind.arguments[0] if kind.arguments else None
    if isinstance(given, Global):
        return given.name
    if not isinstance(given, str) or len(given) > 8:
        return None
    letter, size = given.lstrip("<>|=")[:1], given.lstrip("<>|=")[1:]
    if letter == "b":
        return "bool"
    if letter in _KINDS and size.isascii() and size.isdigit():
        return f"{_KINDS[letter]}{8 * int(size)}"
    return None
