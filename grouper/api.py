"""The pipeline: text to rules, model to inventory, both to a report, and a report to training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Union

from grouper import checks
from grouper.checks import allowed, unknown_option
from grouper.checks.catalog import ALL
from grouper.checks.context import Context
from grouper.checks.report import Report
from grouper.findings import Finding, Severity, in_order
from grouper.group.form_groups import group
from grouper.group.grouping import Grouping
from grouper.language.resolve import resolve
from grouper.language.resolve.codes import MISSPELT_OPTION
from grouper.language.ruleset import RuleSet
from grouper.match.assign import assign
from grouper.match.assignment import Assignment
from grouper.model.inventory import NO_MODEL, Inventory
from grouper.options.signatures import Signature, signature, signature_of
from grouper.options.values import Value
from grouper.text.source import Source
from grouper.train.make_plan import plan_of
from grouper.train.plan import Plan

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from grouper.train.param_groups import ParamGroups
    from grouper.train.ranks import Ranks

Model = Union["nn.Module", Inventory, str, Path]
Rules = RuleSet | Report | str | Path


class GroupingError(Exception):
    """The rules do not fit the model: no groups are built. The text is what `grouper check`
    prints; `report` and `findings` say it in values."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report
        self.findings = report.findings

    def __str__(self) -> str:
        from grouper.reports.terminal import report_text

        return report_text(self.report)


def parse(text: str, path: str = "<string>", **variables: Value) -> RuleSet:
    """The rule set of a text. Keywords set `let` variables. Never raises for what is wrong in it:
    `findings` has that, and `check` reports it."""
    return resolve.resolve(Source(text, path), variables)


def load(rules: str | Path, **variables: Value) -> RuleSet:
    """The rule set of a file, or of a shipped file by its name. Keywords set `let` variables.

    Raises FileNotFoundError where there is no such file; faults in it are in `findings`.
    """
    return resolve.load(rules, variables)


def check(model: Model, rules: Rules, *, key: str | None = None) -> Report:
    """Match the rules against the model and report. Never raises for findings.

    `model` is an nn.Module, an Inventory, or the path of a model file, where `key` says which
    model inside it. `rules` may be a report, whose rules are checked again. Raises OSError
    where a file cannot be opened and grouper.model.errors.ModelError where it holds no model.
    """
    return _checked(_inventory(model, key), rules, _signatures(_rule_set(rules), _is_live(model)))


def check_rules(rules: Rules) -> Report:
    """What can be said of rules without a model. Never raises for findings."""
    rule_set = _rule_set(rules)
    if _faulty(rule_set):
        return Report(rule_set, NO_MODEL, rule_set.findings)
    nothing = Assignment(rule_set, NO_MODEL, ())
    facts = Context(rule_set, NO_MODEL, nothing, group(nothing), _signatures(rule_set), alone=True)
    findings = [*_unless_known(facts), *checks.run(facts)]
    accepted = allowed.apply(facts, findings, ALL)
    # Whether an `allow` accepts anything is seen on a model alone.
    return Report(rule_set, NO_MODEL, in_order([f for f in accepted if f.code is not allowed.CODE]))


def _checked(inventory: Inventory, rules: Rules, signatures: Mapping[str, Signature]) -> Report:
    rule_set = _rule_set(rules)
    if _faulty(rule_set):
        return Report(rule_set, inventory, (*rule_set.findings, *inventory.findings))
    assignment, found = assign(rule_set, inventory)
    grouping = group(assignment)
    facts = Context(rule_set, inventory, assignment, grouping, signatures)
    findings = [*_unless_known(facts), *inventory.findings, *found, *checks.run(facts)]
    accepted = allowed.apply(facts, findings, ALL)
    return Report(rule_set, inventory, in_order(accepted), assignment, grouping)


def _faulty(rules: RuleSet) -> bool:
    return any(finding.severity is Severity.ERROR for finding in rules.findings)


def _unless_known(facts: Context) -> list[Finding]:
    """The rules' own findings; not the likeness of options where the optimizers are known."""
    told = (MISSPELT_OPTION,) if unknown_option.known(facts) else ()
    return [finding for finding in facts.rules.findings if finding.code not in told]


def _signatures(rules: RuleSet, live: bool = False, build: bool = False) -> Mapping[str, Signature]:
    """What is known of the declared optimizers: with a live model from the torch that is there,
    else from the table, and from any package's class where that is about to be built."""
    found = {o.key: _signature(o.name, live, build) for o in rules.optimizers}
    return {name: signature for name, signature in found.items() if signature is not None}


def _signature(name: str, live: bool, build: bool) -> Signature | None:
    if not (build or (live and ":" not in name)):
        return signature(name)
    from grouper.train.build_optimizer import class_of

    try:
        return signature_of(class_of(name))
    except ValueError:
        return None


def strictly(report: Report) -> Report:
    """The report with warnings and notes raised to errors, for `--strict`."""
    error = Severity.ERROR
    findings = tuple(replace(f, severity_override=error) for f in report.findings)
    return replace(report, findings=findings)


def param_groups(
    model: nn.Module, rules: Rules, *, merge: bool = False, process_group: Ranks = None
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

    with compare_ranks(model, process_group) as ranks:
        report, grouping = fitting(model, rules, merge)
        _refuse(report, ranks.disagreement(report.rules, grouping))
        return bind(model, grouping)


def build_optimizer(
    model: nn.Module, rules: Rules, *, merge: bool = False, process_group: Ranks = None
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

    with compare_ranks(model, process_group) as ranks:
        rules = rules if isinstance(rules, Report) else _for_building(model, rules)
        report, grouping = fitting(model, rules, merge)
        groups = bind(model, grouping)
        try:
            optimizer = optimizer_of(groups, grouping, report.rules)
            _refuse(report, ranks.disagreement(report.rules, grouping))
        except BaseException:
            groups.unfreeze()
            raise
        return optimizer


def add_groups(
    optimizer: Optimizer,
    model: nn.Module,
    report: Report,
    *,
    merge: bool = False,
    process_group: Ranks = None,
) -> tuple[str, ...]:
    """Give a running optimizer the groups of a report that it has not yet: those just thawed.

    Their parameters get `requires_grad=True` and start without state; nothing else changes.
    Returns the names of the groups. Raises ValueError where the optimizer's own groups are not the
    report's, or its class refuses the new ones; the optimizer is then as it was.
    """
    from grouper.train.add_groups import extend
    from grouper.train.ranks import compare_ranks

    with compare_ranks(model, process_group) as ranks:
        checked, grouping = fitting(model, report, merge)
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
    report, grouping = fitting(model, rules, merge)
    return plan_of(report.rules, grouping, steps_per_epoch, epochs)


def fitting(model: Model, rules: Rules, merge: bool = False) -> tuple[Report, Grouping]:
    """The report, and its groups. Raises GroupingError where there are none to build."""
    report = rules if isinstance(rules, Report) else check(model, rules)
    if not report.ok or report.grouping is None:
        raise GroupingError(report)
    return report, report.grouping.merged(report.inventory) if merge else report.grouping


def _for_building(model: nn.Module, rules: Rules) -> Report:
    rule_set = _rule_set(rules)
    return _checked(_inventory(model, None), rule_set, _signatures(rule_set, build=True))


def _is_live(model: Model) -> bool:
    return not isinstance(model, Inventory | str | Path)


def _rule_set(rules: Rules) -> RuleSet:
    if isinstance(rules, Report):
        return rules.rules
    return rules if isinstance(rules, RuleSet) else load(rules)


def _refuse(report: Report, finding: Finding | None) -> None:
    if finding is not None:
        raise GroupingError(replace(report, findings=in_order((*report.findings, finding))))


def _inventory(model: Model, key: str | None) -> Inventory:
    if isinstance(model, Inventory):
        return model
    if isinstance(model, str | Path):
        from grouper.model.read import read

        return read(str(model), key)
    from grouper.model.live import inventory_of

    return inventory_of(model)
