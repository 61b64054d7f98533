"""Trainers of other frameworks, each imported at its first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grouper.integrations import accelerate as accelerate
    from grouper.integrations import axolotl as axolotl
    from grouper.integrations import lightning as lightning
    from grouper.integrations import timm as timm
    from grouper.integrations import torchtitan as torchtitan
    from grouper.integrations import transformers as transformers
    from grouper.integrations import ultralytics as ultralytics

# Each file of this folder is under its framework; the first is `grouper.integrations.NAME`.
FRAMEWORKS = {
    "accelerate": ("accelerate",),
    "axolotl": ("axolotl",),
    "lightning": ("lightning",),
    "timm": ("timm",),
    "torchtitan": ("torchtitan",),
    "transformers": ("transformers",),
    "ultralytics": (
        "ultralytics",
        "ultralytics_heads",
        "ultralytics_monitor",
        "ultralytics_results",
        "ultralytics_trainer",
    ),
}


def __dir__() -> list[str]:
    """The frameworks that are installed here."""
    from importlib.util import find_spec

    return [name for name in FRAMEWORKS if find_spec(name)]


if not TYPE_CHECKING:  # else every misspelt name would be of any type

    def __getattr__(name: str) -> Any:
        """`grouper.integrations.ultralytics`, which `import grouper` does not import."""
        if name not in FRAMEWORKS:
            raise AttributeError(f"module 'grouper.integrations' has no attribute {name!r}")
        return import_module(f"grouper.integrations.{name}")
