"""The pipeline: text to rules, model to inventory, both to a report, and a report to training.

`grouper.checks.pipeline` is all of it up to the report, in the order in which it happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from grouper.checks.context import Context, known_signatures
from grouper.checks.pipeline import checked, has_errors
from grouper.checks.report import Report
from grouper.checks.run import run
from grouper.findings import Finding, in_order
from grouper.group.form_groups import form_groups
from grouper.group.grouping import Grouping
from grouper.language.resolve import resolve
from grouper.language.resolve.walk import asked_marks
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment
from grouper.model.inventory import NO_MODEL, Inventory
from grouper.options.signatures import Signature, signature, signature_of
from grouper.options.values import Value
from grouper.text.arguments import is_module, require, require_module, require_values
from grouper.text.source import Source
from grouper.train.make_plan import make_plan
from grouper.train.plan import Plan

if TYPE_CHECKING:
    from grouper.train.param_groups import ParamGroups
    from grouper.train.ranks import Ranks
    from grouper.train.types import Module, Optimizer

Model: TypeAlias = Union["Module", Inventory, str, Path]
Rules: TypeAlias = RuleSet | Report | str | Path


class GroupingError(Exception):
    """The rules do not fit the model: no groups are built. The text is what `grouper check`
    prints; `report` and `findings` are the same as values."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report
        self.findings = report.findings

    def __str__(self) -> str:
        from grouper.reports.terminal import report_text

        return report_text(self.report)


def parse(text: str, path: str = "<string>", **variables: Value) -> RuleSet:
    """The rule set of a text; messages name `path` as its file. Keywords set `let` variables.

    Never raises for errors in the text: `findings` has them, and `check` reports them.
    """
    require("text", text, str, "the text of rules")
    require("path", path, str, "a str")
    require_values(variables)
    return resolve.resolve(Source(text, path), variables)


def load(rules: str | Path, **variables: Value) -> RuleSet:
    """The rule set of a file, or of a shipped file by its name. Keywords set `let` variables.

    Raises FileNotFoundError where there is no such file; errors in it are in `findings`.
    """
    require("rules", rules, (str, Path), "the path of a rules file, or a shipped file's name")
    if isinstance(rules, str) and ("->" in rules or "\n" in rules):
        raise ValueError(
            "`rules` must be the path of a rules file, not the text of one:"
            " `grouper.parse(text)` reads that"
        )
    require_values(variables)
    return resolve.load(rules, variables)


def check(model: Model, rules: Rules, *, key: str | None = None) -> Report:
    """Match the rules against the model and report. Never raises for findings.

    `model` is an nn.Module, an Inventory, or the path of a model file, where `key` says which
    model inside it. `rules` may be a report, whose rules are checked again. Raises OSError
    where a file cannot be opened and grouper.ModelError where it holds no model.
    """
    require("key", key, (str, type(None)), "the path of a model inside a checkpoint, or None")
    rule_set = _rule_set(rules)
    inventory = _inventory(model, key, rule_set)
    live = is_module(model)
    return checked(inventory, rule_set, _signatures(rule_set, live=live))


def check_rules(rules: Rules) -> Report:
    """What can be checked of rules without a model. Never raises for findings."""
    rule_set = _rule_set(rules)
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


def param_groups(
    model: Module, rules: Rules, *, merge: bool = False, process_group: Ranks = None
) -> ParamGroups:
    """The parameter groups of a live model, for any torch optimizer.

    Each group has `params` (named, where torch takes names), its `name`, and its options. `merge`
    joins groups whose options are equal, for the fewest kernels (see Grouping.merged). What
    the rules freeze gets `requires_grad=False`; the list's `unfreeze()` takes that back.

    `rules` may be a report of this model, as for every function below: it is taken as it is. Raises
    GroupingError where the rules do not fit the model; the model is then as it was.

    In a distributed run this is a collective, and so are the next two: every rank calls it, and
    all raise GroupingError where their groups, options, warm-up or schedule differ. `process_group`
    are the ranks that must agree: all of them, those of a group, or, where it is False, none.
    """
    from grouper.train.param_groups import bind
    from grouper.train.ranks import compare_ranks

    require_module("model", model)
    with compare_ranks(model, process_group) as ranks:
        report, grouping = checked_groups(model, rules, merge=merge)
        _refuse(report, ranks.disagreement(report.rules, grouping))
        return bind(model, grouping)


def build_optimizer(
    model: Module, rules: Rules, *, merge: bool = False, process_group: Ranks = None
) -> Optimizer:
    """The optimizer that the rules name, with its groups; several are one object.

    What the rules freeze gets `requires_grad=False`; the optimizer's `unfreeze()` takes that back.
    Options are checked against the classes' own signatures. Raises GroupingError where the rules do
    not fit the model or the optimizers, and ValueError where they name no optimizer, or one of
    another package that cannot be imported or refuses its options.
    """
    from grouper.train.build_optimizer import optimizer_of
    from grouper.train.param_groups import bind
    from grouper.train.ranks import compare_ranks

    require_module("model", model)
    with compare_ranks(model, process_group) as ranks:
        report = rules if isinstance(rules, Report) else _checked_to_build(model, rules)
        report, grouping = checked_groups(model, report, merge=merge)
        groups = bind(model, grouping)
        try:
            # Ranks compare after construction here: where a class refuses its options on one rank
            # only, the others hear of that, and do not wait for it in a collective.
            optimizer = optimizer_of(groups, grouping, report.rules)
            _refuse(report, ranks.disagreement(report.rules, grouping))
        except BaseException:
            groups.unfreeze()
            raise
        return optimizer


def add_groups(
    optimizer: Optimizer,
    model: Module,
    report: Report,
    *,
    merge: bool = False,
    process_group: Ranks = None,
) -> tuple[str, ...]:
    """Add to a running optimizer the groups of a report that it does not have: those just thawed.

    Their parameters get `requires_grad=True` and start without state; nothing else changes.
    Returns the names of the groups. Raises ValueError where the optimizer's own groups are not the
    report's, or its class refuses the new ones; the optimizer is then as it was.
    """
    from grouper.train.add_groups import extend
    from grouper.train.ranks import compare_ranks

    require_module("model", model)
    require("report", report, Report, "the report that `report.thaw(...)` gives")
    with compare_ranks(model, process_group) as ranks:
        checked, grouping = checked_groups(model, report, merge=merge)
        _refuse(checked, ranks.disagreement(checked.rules, grouping))
        return extend(optimizer, model, grouping, checked.rules)


def plan(
    model: Model, rules: Rules, *, steps_per_epoch: int, epochs: int, merge: bool = False
) -> Plan:
    """lr and momentum of every group at every step of a run.

    A step is one batch: `steps_per_epoch` is the length of the loader. `merge` as in
    `build_optimizer`. Raises GroupingError where the rules do not fit the model, and ValueError
    where a group has no lr.
    """
    report, grouping = checked_groups(model, rules, merge=merge)
    return make_plan(report.rules, grouping, steps_per_epoch, epochs)


def _checked_to_build(model: Module, rules: Rules) -> Report:
    rule_set = _rule_set(rules)
    signatures = _signatures(rule_set, build=True)
    return checked(_inventory(model, None, rule_set), rule_set, signatures)


def _signatures(
    rules: RuleSet, *, live: bool = False, build: bool = False
) -> Mapping[str, Signature]:
    """What is known of the declared optimizers: from the recorded table, with a live model from the
    installed torch, and where they are about to be built, from any package's class."""

    def find(name: str) -> Signature | None:
        if not (build or (live and ":" not in name)):
            return signature(name)
        from grouper.train.build_optimizer import class_of

        try:
            return signature_of(class_of(name))
        except ValueError:
            return None

    return known_signatures(rules, find)


def _refuse(report: Report, finding: Finding | None) -> None:
    if finding is not None:
        raise GroupingError(replace(report, findings=in_order((*report.findings, finding))))


def _rule_set(rules: Rules) -> RuleSet:
    if isinstance(rules, Report):
        return rules.rules
    if isinstance(rules, RuleSet):
        return rules
    expected = "a RuleSet, a Report, the path of a rules file, or a shipped file's name"
    require("rules", rules, (str, Path), expected)
    return load(rules)


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
