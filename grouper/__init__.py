"""grouper: parameter groups for PyTorch optimizers, from rules that can be read and checked.

    rules = grouper.load("my.rules", base=0.02)        a rules file, or shipped rules by name
    rules = grouper.parse("* -> all lr=0.1")           rules from a string
    report = grouper.check(model, rules)               find problems: report.ok, report.findings
    rules = grouper.init(model)                        starter rules for a model; print(rules)
    grouper.explain(model, rules, "head.bias")         where each option comes from

    groups = grouper.param_groups(model, rules)        for any torch optimizer
    optimizer = grouper.build_optimizer(model, rules)  the optimizer that the rules declare
    plan = grouper.plan(model, rules, steps_per_epoch=len(loader), epochs=100)
    scheduler = plan.scheduler(optimizer)              a torch LRScheduler: step() once per batch
    plan.plot("plan.svg")                              lr and momentum over the run

    grouper.audit(optimizer, model)                    check an existing optimizer, without rules
    grouper.diff(report, other_report)                 what changes between two reports
    grouper.load_optimizer_state(optimizer, state)     resume by name after the rules changed
    grouper.add_groups(optimizer, model, report)       train what report.unfreeze(...) unfroze
    monitor = grouper.Monitor(...)                     statistics of each group during training

`model` is an nn.Module, or for `check` and `plan` also the path of a model file, which is read
without running its code. Functions that build raise grouper.GroupingError if the rules do not fit
the model, and grouper.ModelError if a file is not a model. Reports, groups, plans and findings are
displayed in notebooks; `print` gives the terminal's text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grouper.version import __version__ as __version__

if TYPE_CHECKING:
    from grouper import integrations as integrations
    from grouper.api.audit import audit
    from grouper.api.build import (
        add_groups,
        build,
        build_optimizer,
        freeze_statistics,
        param_groups,
    )
    from grouper.api.check import check
    from grouper.api.diff import diff
    from grouper.api.errors import GroupingError
    from grouper.api.explain import explain
    from grouper.api.plan import plan
    from grouper.api.rules import load, parse
    from grouper.checks.audit.audit import Audit
    from grouper.checks.report import Report
    from grouper.generate.init.init import init
    from grouper.group.diff import Diff
    from grouper.language.ruleset import RuleSet
    from grouper.model.errors import ModelError
    from grouper.model.inventory import Inventory
    from grouper.monitor.monitor import Monitor
    from grouper.text.findings import GroupingWarning
    from grouper.train.plan import Plan
    from grouper.train.resume.optimizer_state import load_optimizer_state

__all__ = [
    "Audit",
    "Diff",
    "GroupingError",
    "GroupingWarning",
    "Inventory",
    "ModelError",
    "Monitor",
    "Plan",
    "Report",
    "RuleSet",
    "add_groups",
    "audit",
    "build",
    "build_optimizer",
    "check",
    "diff",
    "explain",
    "freeze_statistics",
    "init",
    "load",
    "load_optimizer_state",
    "param_groups",
    "parse",
    "plan",
]

# No module of this package may be named like a public function: importing a `grouper/plan.py`
# would replace the function `grouper.plan` by that module.
_HOMES = {
    "Audit": "grouper.checks.audit.audit",
    "Diff": "grouper.group.diff",
    "GroupingError": "grouper.api.errors",
    "GroupingWarning": "grouper.text.findings",
    "Inventory": "grouper.model.inventory",
    "ModelError": "grouper.model.errors",
    "Monitor": "grouper.monitor.monitor",
    "Plan": "grouper.train.plan",
    "Report": "grouper.checks.report",
    "RuleSet": "grouper.language.ruleset",
    "add_groups": "grouper.api.build",
    "audit": "grouper.api.audit",
    "build": "grouper.api.build",
    "build_optimizer": "grouper.api.build",
    "check": "grouper.api.check",
    "diff": "grouper.api.diff",
    "explain": "grouper.api.explain",
    "freeze_statistics": "grouper.api.build",
    "init": "grouper.generate.init.init",
    "load": "grouper.api.rules",
    "load_optimizer_state": "grouper.train.resume.optimizer_state",
    "param_groups": "grouper.api.build",
    "parse": "grouper.api.rules",
    "plan": "grouper.api.plan",
}


_NEED_TORCH = ("Monitor", "load_optimizer_state")


def __dir__() -> list[str]:
    """The public names that are available; some need torch."""
    from importlib.util import find_spec

    hidden = () if find_spec("torch") else _NEED_TORCH
    return [*(name for name in __all__ if name not in hidden), "integrations", "__version__"]


if not TYPE_CHECKING:  # otherwise type checkers would accept any misspelt name

    def __getattr__(name: str) -> Any:
        """Import a public name on first use: `import grouper` itself loads nothing."""
        if name not in _HOMES and name != "integrations":
            raise AttributeError(f"module 'grouper' has no attribute {name!r}")
        from importlib import import_module

        if name == "integrations":
            return import_module("grouper.integrations")
        return getattr(import_module(_HOMES[name]), name)
