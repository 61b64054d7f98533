"""Dicts with string keys, and the attributes of objects, among a pickle's values.

Results are cached on the value itself: in a hostile file a million values may share one dict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grouper.model.errors import over_limit
from grouper.model.name_limits import MAX_NAME
from grouper.model.pickle.values import Call, Dict, Global, Opaque, Sequence

# Replaces a string that was too long to keep: refused if it is used as a name.
_NOT_KEPT = "?" * (MAX_NAME + 1)


def mapping(value: Any) -> list[tuple[str, Any]] | None:
    """The pairs of a dict (or OrderedDict and similar) with string keys; None for other values."""
    items = texts(value)
    return None if items is None else list(items.items())


def texts(value: Any) -> Mapping[str, Any] | None:
    """Like `mapping`, as a dict. A key that was set twice has its last value."""
    if isinstance(value, Dict):
        if value.texts is None:
            value.texts = _by_text(value.pairs)
        return value.texts
    if not (isinstance(value, Call) and isinstance(value.function, Global)):
        return None
    if value.function.module not in ("collections", "builtins"):
        return None
    if value.function.name not in ("OrderedDict", "dict", "defaultdict"):
        return None
    if value.texts is None:
        items = value.arguments[0] if isinstance(value.arguments, tuple) and value.arguments else 0
        listed = _listed(items)
        if listed and value.pairs:
            raise over_limit("a dict is filled twice")
        value.texts = listed or _by_text(value.pairs)
    return value.texts


def attributes(value: Any) -> Mapping[str, Any] | None:
    """The `__dict__` of a pickled object."""
    if not isinstance(value, Call):
        return None
    state = value.state
    if isinstance(state, tuple) and state:  # with slots: the dict, and the slots
        state = state[0]
    return texts(state) if isinstance(state, Dict) else None


def _by_text(pairs: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    return {
        key if isinstance(key, str) else _NOT_KEPT: item
        for key, item in pairs
        if isinstance(key, str | Opaque)
    }


def _listed(value: Any) -> Mapping[str, Any]:
    """The items that build an OrderedDict; old pickles use a list of pairs that many may share."""
    if isinstance(value, Dict):
        return texts(value) or {}
    if not isinstance(value, Sequence):
        return {}
    if value.texts is None:
        items = (item.items if isinstance(item, Sequence) else item for item in value.items)
        pairs = ((p[0], p[1]) for p in items if isinstance(p, tuple | list) and len(p) == 2)
        value.texts = _by_text(pairs)
    return value.texts
