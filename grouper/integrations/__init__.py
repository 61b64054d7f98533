"""Trainers of other frameworks, each imported at its first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Each file of this folder stands under its framework; the first is `grouper.integrations.NAME`.
FRAMEWORKS = {
    "accelerate": ("accelerate",),
    "axolotl": ("axolotl",),
    "lightning": ("lightning",),
    "timm": ("timm",),
    "transformers": ("transformers",),
    "ultralytics": (
        "ultralytics",
        "ultralytics_monitor",
        "ultralytics_results",
        "ultralytics_trainer",
    ),
}


def __getattr__(name: str) -> Any:
    """`grouper.integrations.ultralytics`, which `import grouper` does not import."""
    if name not in FRAMEWORKS:
        raise AttributeError(f"module 'grouper.integrations' has no attribute {name!r}")
    return import_module(f"grouper.integrations.{name}")
