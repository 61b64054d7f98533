"""Configurations that inherit: values of the later one replace those of the earlier one."""

from __future__ import annotations

from typing import Any


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Mappings merge key by key; one with `_delete_=True` (mmengine) replaces the base's."""
    out = dict(base)
    for key, value in over.items():
        below = out.get(key)
        if not isinstance(value, dict):
            out[key] = value
            continue
        own = {name: inner for name, inner in value.items() if name != "_delete_"}
        keeps = value.get("_delete_") is not True
        out[key] = merged(below, own) if keeps and isinstance(below, dict) else own
    return out
