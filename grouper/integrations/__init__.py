"""Training frameworks: one file for each, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FRAMEWORKS = ("ultralytics",)


def __getattr__(name: str) -> Any:
    """`grouper.integrations.ultralytics`, without importing it beforehand."""
    if name not in _FRAMEWORKS:
        raise AttributeError(f"module 'grouper.integrations' has no attribute {name!r}")
    return import_module(f"grouper.integrations.{name}")
