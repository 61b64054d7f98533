"""Reads JSON from untrusted files, only if its values will fit in memory."""

from __future__ import annotations

import json
from typing import Any

from grouper.model import codes
from grouper.model.errors import ModelError
from grouper.model.files.file import BytesSource, cut_short

MAX_SIZE = 32 << 20
MAX_MEMORY = 160 << 20  # for the values, estimated
# Bytes that CPython needs for the value that a character begins or separates, rounded up.
_COST = {b"{": 232, b"[": 88, b",": 120, b'"': 36}
_WIDE = 7  # bytes per byte of a text beyond ASCII: up to 4 for the text, plus its strings


def parsed(source: BytesSource) -> dict[str, Any]:
    """The JSON object in a source. Raises ModelError for anything else, or if it is too large."""
    try:
        value = loaded(source)
    except ValueError:
        raise cut_short(source.path) from None
    if not isinstance(value, dict):
        raise cut_short(source.path)
    return value


def loaded(source: BytesSource, size: int = MAX_SIZE, memory: int = MAX_MEMORY) -> Any:
    """The JSON value in a source of at most `size` bytes, without NaN and with unique keys.

    Raises ValueError if it is not valid JSON, ModelError if it is too large, or if its values would
    take more than `memory` bytes.
    """
    if source.size > size:
        raise too_large(source)
    text = source.read(0, source.size)
    width = 2 if text.isascii() and rb"\u" not in text else _WIDE
    cost = width * len(text) + sum(text.count(sign) * cost for sign, cost in _COST.items())
    if cost > memory:
        raise too_large(source)
    try:
        return json.loads(text, object_pairs_hook=object_of_pairs, parse_constant=_reject_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError for duplicate keys."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not valid JSON")


def too_large(source: BytesSource) -> ModelError:
    """The error for JSON that would take too much memory."""
    return ModelError(
        codes.OVER_LIMIT, f"`{source.path}` is not read: its JSON is larger than that of any model"
    )
