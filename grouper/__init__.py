"""grouper: parameter groups for PyTorch optimizers, from rules that can be read and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grouper.api import Report, check, load, parse
    from grouper.inventory.model import Inventory
    from grouper.ruleset.model import RuleSet

__version__ = "0.1.0"
__all__ = ["Inventory", "Report", "RuleSet", "check", "load", "parse"]

_HOMES = {
    "Inventory": "grouper.inventory.model",
    "Report": "grouper.api",
    "RuleSet": "grouper.ruleset.model",
    "check": "grouper.api",
    "load": "grouper.api",
    "parse": "grouper.api",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import grouper` itself is free."""
    if name not in _HOMES:
        raise AttributeError(f"module 'grouper' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
