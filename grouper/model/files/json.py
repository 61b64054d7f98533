"""JSON from a stranger's file: read only where its values will fit in memory."""

from __future__ import annotations

import json
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource, cut_short

MAX_SIZE = 32 << 20
MAX_MEMORY = 160 << 20
# What CPython takes for the value that a character begins or parts, in bytes, rounded up.
_COST = {b"{": 232, b"[": 88, b",": 120, b'"': 36}
_WIDE = 7  # bytes for each byte of a text that has more than ASCII: up to 4, and its strings


def parsed(source: BytesSource) -> dict[str, Any]:
    """The JSON object in a source. Raises ModelError for anything else, or too much of it."""
    try:
        value = loaded(source)
    except ValueError:
        raise cut_short(source.path) from None
    if not isinstance(value, dict):
        raise cut_short(source.path)
    return value


def loaded(source: BytesSource) -> Any:
    """The JSON value in a source, without NaN and with unique keys.

    Raises ValueError where it is none, ModelError where it is too large.
    """
    if source.size > MAX_SIZE:
        raise too_large(source)
    text = source.read(0, source.size)
    width = 2 if text.isascii() and rb"\u" not in text else _WIDE
    cost = width * len(text) + sum(text.count(sign) * cost for sign, cost in _COST.items())
    if cost > MAX_MEMORY:
        raise too_large(source)
    try:
        return json.loads(text, object_pairs_hook=object_of_pairs, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deep") from None


def object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError where a key is there twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def too_large(source: BytesSource) -> ModelError:
    """What is said of JSON that would take too much memory."""
    return ModelError(
        codes.OVER_LIMIT, f"`{source.path}` is not read: its JSON is larger than that of any model"
    )
