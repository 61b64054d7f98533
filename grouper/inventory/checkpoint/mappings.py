"""Dicts with texts as keys, and the attributes of objects, among a pickle's values.

What is found is kept on the value itself: in a hostile file a million values may share one dict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouper.inventory.checkpoint.pickle_values import Call, Dict, Global, Sequence


def mapping(value: Any) -> list[tuple[str, Any]] | None:
    """The pairs of a dict (also an OrderedDict or its like) with string keys; None for others."""
    found = texts(value)
    return None if found is None else list(found.items())


def texts(value: Any) -> Mapping[str, Any] | None:
    """As `mapping`, by key. A key that was set twice has its last value."""
    if isinstance(value, Dict):
        if value.texts is None:
            value.texts = {key: item for key, item in value.pairs if isinstance(key, str)}
        return value.texts
    if not (isinstance(value, Call) and isinstance(value.function, Global)):
        return None
    if value.function.module not in ("collections", "builtins"):
        return None
    if value.function.name not in ("OrderedDict", "dict", "defaultdict"):
        return None
    if value.texts is None:
        pairs = value.pairs or _listed_pairs(value.arguments)
        value.texts = {key: item for key, item in pairs if isinstance(key, str)}
    return value.texts


def attributes(value: Any) -> Mapping[str, Any] | None:
    """The `__dict__` of a pickled object."""
    if not isinstance(value, Call):
        return None
    state = value.state
    if isinstance(state, tuple) and state:  # with slots: the dict, and the slots
        state = state[0]
    return texts(state) if isinstance(state, Dict) else None


def _listed_pairs(arguments: Any) -> list[tuple[Any, Any]]:
    """Old pickles build an OrderedDict from a list of two-item lists."""
    given = arguments[0] if isinstance(arguments, tuple) and arguments else None
    if isinstance(given, Dict):
        return list(given.pairs)
    items = given.items if isinstance(given, Sequence) else ()
    pairs = (item.items if isinstance(item, Sequence) else item for item in items)
    return [(p[0], p[1]) for p in pairs if isinstance(p, tuple | list) and len(p) == 2]
