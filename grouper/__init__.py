"""grouper: parameter groups for PyTorch optimizers, from rules that can be read and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grouper.version import __version__ as __version__

if TYPE_CHECKING:
    from grouper import integrations as integrations
    from grouper.api import (
        GroupingError,
        add_groups,
        build,
        build_optimizer,
        check,
        freeze_statistics,
        load,
        param_groups,
        parse,
        plan,
    )
    from grouper.checks.report import Report
    from grouper.findings import GroupingWarning
    from grouper.language.ruleset import RuleSet
    from grouper.model.errors import ModelError
    from grouper.model.inventory import Inventory
    from grouper.monitor.monitor import Monitor
    from grouper.train.plan import Plan
    from grouper.train.resume.optimizer_state import load_optimizer_state

__all__ = [
    "GroupingError",
    "GroupingWarning",
    "Inventory",
    "ModelError",
    "Monitor",
    "Plan",
    "Report",
    "RuleSet",
    "add_groups",
    "build",
    "build_optimizer",
    "check",
    "freeze_statistics",
    "load",
    "load_optimizer_state",
    "param_groups",
    "parse",
    "plan",
]

# No file or folder of this one is called like a public function: importing a `grouper/plan.py`
# would put that module in the place of the function `grouper.plan`.
_HOMES = {
    "GroupingError": "grouper.api",
    "GroupingWarning": "grouper.findings",
    "Inventory": "grouper.model.inventory",
    "ModelError": "grouper.model.errors",
    "Monitor": "grouper.monitor.monitor",
    "Plan": "grouper.train.plan",
    "Report": "grouper.checks.report",
    "RuleSet": "grouper.language.ruleset",
    "add_groups": "grouper.api",
    "build": "grouper.api",
    "build_optimizer": "grouper.api",
    "check": "grouper.api",
    "freeze_statistics": "grouper.api",
    "load": "grouper.api",
    "load_optimizer_state": "grouper.train.resume.optimizer_state",
    "param_groups": "grouper.api",
    "parse": "grouper.api",
    "plan": "grouper.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import grouper` itself loads nothing."""
    if name not in _HOMES and name != "integrations":
        raise AttributeError(f"module 'grouper' has no attribute {name!r}")
    from importlib import import_module

    if name == "integrations":
        return import_module("grouper.integrations")
    return getattr(import_module(_HOMES[name]), name)
