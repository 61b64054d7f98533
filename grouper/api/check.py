"""From rules and a model to a report, and from a report to its groups."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from grouper.api.errors import GroupingError
from grouper.api.rules import Rules, rule_set_of
from grouper.checks.context import Context, known_signatures
from grouper.checks.pipeline import checked, has_errors
from grouper.checks.report import Report
from grouper.checks.run import run
from grouper.group.form_groups import form_groups
from grouper.group.grouping import Grouping
from grouper.language.resolve.walk import asked_marks
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment
from grouper.model.inventory import NO_MODEL, Inventory
from grouper.options.signatures import Signature, signature, signature_of
from grouper.text.arguments import is_module, require, require_module
from grouper.text.collector import collector_off
from grouper.text.findings import in_order

if TYPE_CHECKING:
    from grouper.train.types import Module

Model: TypeAlias = Union["Module", Inventory, str, Path]


def check(model: Model, rules: Rules, *, key: str | None = None) -> Report:
    """Match the rules against the model and report. Never raises for findings.

    `model` is an nn.Module, an Inventory, or the path of a model file, where `key` says which
    model inside it. `rules` may be a report, whose rules are checked again. Raises OSError
    where a file cannot be opened and grouper.ModelError where it holds no model.
    """
    require("key", key, (str, type(None)), "the path of a model inside a checkpoint, or None")
    rule_set = rule_set_of(rules)
    with collector_off():
        inventory = _inventory(model, key, rule_set)
        live = is_module(model)
        return checked(inventory, rule_set, _signatures(rule_set, live=live))


def check_rules(rules: Rules) -> Report:
    """Check what can be checked of rules without a model. Never raises for findings."""
    rule_set = rule_set_of(rules)
    if has_errors(rule_set):
        return Report(rule_set, NO_MODEL, rule_set.findings)
    nothing = Assignment(rule_set, NO_MODEL, ())
    context = Context(
        rule_set,
        NO_MODEL,
        nothing,
        form_groups(nothing),
        _signatures(rule_set),
        without_model=True,
    )
    return Report(rule_set, NO_MODEL, in_order(run(context, rule_set.findings)))


def checked_to_build(model: Module, rules: Rules) -> Report:
    """The report of rules whose optimizer is to be built: classes of any package are imported."""
    rule_set = rule_set_of(rules)
    signatures = _signatures(rule_set, build=True)
    with collector_off():
        return checked(_inventory(model, None, rule_set), rule_set, signatures)


def checked_groups(model: Model, rules: Rules, *, merge: bool = False) -> tuple[Report, Grouping]:
    """The report and its groups, for those who build optimizers from them: the functions below, and
    the integrations of trainers.

    A report is taken as it is. Raises GroupingError where there are no groups to build.
    """
    require("merge", merge, bool, "True or False")
    report = rules if isinstance(rules, Report) else check(model, rules)
    if not report.ok or report.grouping is None:
        raise GroupingError(report)
    return report, report.grouping.merged(report.inventory) if merge else report.grouping


def _signatures(
    rules: RuleSet, *, live: bool = False, build: bool = False
) -> Mapping[str, Signature]:
    """What is known of the declared optimizers' classes.

    It comes from the recorded table, with a live model from the installed torch, and where the
    optimizers are about to be built, from the classes of any package.
    """

    def find(name: str) -> Signature | None:
        if not (build or (live and ":" not in name)):
            return signature(name)
        from grouper.train.build_optimizer import class_of

        try:
            return signature_of(class_of(name))
        except ValueError:
            return None

    return known_signatures(rules, find)


def _inventory(model: Model, key: str | None, rules: RuleSet) -> Inventory:
    if isinstance(model, Inventory):
        return model
    if isinstance(model, str | Path):
        from grouper.model.read import read

        return read(str(model), key)
    require_module("model", model, "an nn.Module, an Inventory, or the path of a model file")
    from grouper.model.live import inventory_of

    return inventory_of(
        model, [word for rule in rules.rules for word in asked_marks(rule.selector)]
    )
