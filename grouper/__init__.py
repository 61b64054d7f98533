"""grouper: parameter groups for PyTorch optimizers, from rules that can be read and checked.

    rules = grouper.load("my.rules", base=0.02)        a file, or a shipped one by its name
    rules = grouper.parse("* -> all lr=0.1")           the text of one
    report = grouper.check(model, rules)               what is wrong; report.ok, report.findings

    groups = grouper.param_groups(model, rules)        for any torch optimizer
    optimizer = grouper.build_optimizer(model, rules)  the one that the rules name
    plan = grouper.plan(model, rules, steps_per_epoch=len(loader), epochs=100)
    scheduler = plan.scheduler(optimizer)              a torch LRScheduler: step() once a batch
    plan.plot("plan.svg")                              lr and momentum over the run

    grouper.load_optimizer_state(optimizer, state)     resume by name, though the rules changed
    grouper.add_groups(optimizer, model, report)       train what report.thaw(...) unfroze
    monitor = grouper.Monitor(...)                     what each group does while it trains

`model` is an nn.Module, or for `check` and `plan` also the path of a model file, which is read
without running its code. Calls that build raise grouper.GroupingError where rules do not fit, and
grouper.ModelError where a file is no model. Reports, groups, plans and findings show themselves in
notebooks; `print` gives the terminal's text.
"""

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


_NEED_TORCH = ("Monitor", "load_optimizer_state")


def __dir__() -> list[str]:
    """The public names that can be used here."""
    from importlib.util import find_spec

    hidden = () if find_spec("torch") else _NEED_TORCH
    return [*(name for name in __all__ if name not in hidden), "integrations", "__version__"]


if not TYPE_CHECKING:  # else every misspelt name would be of any type

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used: `import grouper` itself loads nothing."""
        if name not in _HOMES and name != "integrations":
            raise AttributeError(f"module 'grouper' has no attribute {name!r}")
        from importlib import import_module

        if name == "integrations":
            return import_module("grouper.integrations")
        return getattr(import_module(_HOMES[name]), name)
