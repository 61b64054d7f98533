"""JSON from a stranger's file: read only where its values will fit in memory."""

from __future__ import annotations

import json
from typing import Any

from grouper.inventory import codes
from grouper.inventory.checkpoint.file import BytesSource, cut_short
from grouper.inventory.errors import ModelError

MAX_SIZE = 32 << 20
MAX_MEMORY = 160 << 20
# What CPython takes for the value that a character begins or parts, in bytes, rounded up.
_COST = {b"{": 232, b"[": 88, b",": 40, b'"': 36}


def parsed(source: BytesSource) -> dict[str, Any]:
    """The JSON object in a source. Raises ModelError for anything else, or too much of it."""
    if source.size > MAX_SIZE:
        raise _too_large(source)
    text = source.read(0, source.size)
    if len(text) + sum(text.count(sign) * cost for sign, cost in _COST.items()) > MAX_MEMORY:
        raise _too_large(source)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise cut_short(source.path) from None
    if not isinstance(value, dict):
        raise cut_short(source.path)
    return value


def _too_large(source: BytesSource) -> ModelError:
    return ModelError(
        codes.OVER_LIMIT, f"`{source.path}` is not read: its JSON is larger than that of any model"
    )
