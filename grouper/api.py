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
from grouper.checks.run import run, run_on_plan
from grouper.findings import Finding, Severity, in_order, warn
from grouper.group.form_groups import form_groups
from grouper.group.grouping import Grouping
from grouper.language.resolve import resolve
from grouper.language.resolve.walk import asked_marks
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment
from grouper.model.inventory import NO_MODEL, Inventory
from grouper.options.signatures import Signature, signature, signature_of
from grouper.options.values import Value
from grouper.text.arguments import (
    is_module,
    require,
    require_integer,
    require_module,
    require_values,
)
from grouper.text.printable import quoted_list
from grouper.text.source import Source
from grouper.train.make_plan import make_plan
from grouper.train.plan import Plan
from grouper.train.unreached import unreached

if TYPE_CHECKING:
    from grouper.train.frozen_statistics import FrozenStatistics
    from grouper.train.param_groups import ParamGroups
    from grouper.train.ranks import Ranks
    from grouper.train.types import LRScheduler, Module, Optimizer

Model: TypeAlias = Union["Module", Inventory, str, Path]
Rules: TypeAlias = RuleSet | Report | str | Path


class GroupingError(Exception):
    """The rules do not fit the model: no groups are built. The text is what `grouper check`
    prints; `report` and `findings` are the same as values."""

    def __init__(self, report: Report) -> None:
        require("report", report, Report, "the report of `grouper.check(...)`")
        super().__init__(report)
        self.report = report
        self.findings = report.findings

    def __str__(self) -> str:
        from grouper.reports.terminal import report_text

        return report_text(self.report)


def parse(text: str, path: str = "<string>", /, **variables: Value) -> RuleSet:
    """The rule set of a text; messages name `path` as its file. Keywords set `let` variables.

    Never raises for errors in the text: `findings` has them, and `check` reports them.
    """
    require("text", text, str, "the text of rules")
    require("path", path, str, "a str")
    require_values(variables)
    return resolve.resolve(Source(text, path), variables)


def load(rules: str | Path, /, **variables: Value) -> RuleSet:
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


def rules_to_train(rules: RuleSet | str | Path, variables: Mapping[str, Value]) -> RuleSet:
    """The rules that a trainer is given, for the integrations.

    Raises FileNotFoundError as `load` does, TypeError for variables beside a RuleSet, and
    GroupingError where the rules have errors without any model.
    """
    if isinstance(rules, RuleSet) and variables:
        raise TypeError("a RuleSet has its variables already: pass them to grouper.load")
    rule_set = rules if isinstance(rules, RuleSet) else load(rules, **variables)
    if has_errors(rule_set):
        raise GroupingError(Report(rule_set, NO_MODEL, rule_set.findings))
    return rule_set


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


def checked_to_build(model: Module, rules: Rules) -> Report:
    """The report of rules whose optimizer is to be built: with classes of any package looked at."""
    rule_set = _rule_set(rules)
    signatures = _signatures(rule_set, build=True)
    return checked(_inventory(model, None, rule_set), rule_set, signatures)


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
    model: Module,
    rules: Rules,
    *,
    merge: bool = False,
    names: bool = True,
    prefix: str | None = None,
    process_group: Ranks = None,
) -> ParamGroups:
    """The parameter groups of a live model, for any torch optimizer.

    Each group has `params` (named, where torch takes names), its `name`, and its options. `merge`
    joins groups whose options are equal, for the fewest kernels (see Grouping.merged). With
    `names=False` the tensors are bare and groups have no `name`, for optimizers that look at the
    keys. What the rules freeze gets `requires_grad=False`; the list's `unfreeze()` takes that back.
    Findings that are warnings reach Python's `warnings` as GroupingWarning, here and below.

    `rules` may be a report of this model, as for every function below: it is taken as it is. Of a
    report of the whole, a stage of it takes its own parameters: `prefix` is what the names of the
    stage lack ("layers.4."), or "" where they lack nothing. Raises GroupingError where the rules do
    not fit the model; the model is then as it was.

    In a distributed run this is a collective, and so are the next three: every rank calls it, and
    all raise GroupingError where their groups, options, warm-up or schedule differ. `process_group`
    are the ranks that must agree: all of them, those of a group, or, where it is False, none.
    """
    from grouper.train.param_groups import bind
    from grouper.train.part import part_of
    from grouper.train.ranks import compare_ranks

    require_module("model", model)
    _require_names(rules, names, prefix)
    with compare_ranks(model, process_group) as ranks:
        report, grouping = checked_groups(model, rules, merge=merge)
        _refuse(report, ranks.disagreement(report.rules, grouping))
        warn(report.findings)
        return bind(part_of(model, grouping, prefix), names=names)


def build_optimizer(
    model: Module,
    rules: Rules,
    *,
    merge: bool = False,
    names: bool = True,
    prefix: str | None = None,
    process_group: Ranks = None,
) -> Optimizer:
    """The optimizer that the rules name, with its groups; several are one object.

    Its own `load_state_dict` goes by the names of parameters, and warns of what it did not keep.
    What the rules freeze gets `requires_grad=False`; the optimizer's `unfreeze()` takes that back.
    Options are checked against the classes' own signatures; `merge`, `names` and `prefix` are those
    of `param_groups`. Raises GroupingError where the rules do not fit the model or the optimizers,
    and ValueError where they name no optimizer, or one of another package that cannot be imported
    or refuses its options.
    """
    from grouper.train.build_optimizer import optimizer_of
    from grouper.train.param_groups import bind
    from grouper.train.part import part_of
    from grouper.train.ranks import compare_ranks

    require_module("model", model)
    _require_names(rules, names, prefix)
    with compare_ranks(model, process_group) as ranks:
        report = rules if isinstance(rules, Report) else checked_to_build(model, rules)
        report, grouping = checked_groups(model, report, merge=merge)
        warn(report.findings)
        part = part_of(model, grouping, prefix)
        groups = bind(part, names=names)
        try:
            # Ranks compare after construction here: where a class refuses its options on one rank
            # only, the others hear of that, and do not wait for it in a collective.
            optimizer = optimizer_of(groups, part.grouping, report.rules)
            _refuse(report, ranks.disagreement(report.rules, grouping))
        except BaseException:
            groups.unfreeze()
            raise
        return optimizer


def build(
    model: Module,
    rules: Rules,
    *,
    steps: int | None = None,
    steps_per_epoch: int | None = None,
    epochs: int | None = None,
    merge: bool = False,
    names: bool = True,
    prefix: str | None = None,
    process_group: Ranks = None,
) -> tuple[Optimizer, LRScheduler]:
    """The optimizer that the rules name, and a scheduler that follows their plan.

    The run's length is that of `plan`, and the other arguments those of `build_optimizer`; it
    raises what they raise. The model is then as it was.
    """
    require_module("model", model)
    report = rules if isinstance(rules, Report) else checked_to_build(model, rules)
    run = _run_length(steps, steps_per_epoch, epochs)
    optimizer = build_optimizer(
        model, report, merge=merge, names=names, prefix=prefix, process_group=process_group
    )
    try:
        return optimizer, _plan(model, report, run, merge, prefix).scheduler(optimizer)
    except BaseException:
        vars(optimizer)["unfreeze"]()
        raise


def add_groups(
    optimizer: Optimizer,
    model: Module,
    report: Report,
    *,
    merge: bool = False,
    prefix: str | None = None,
    process_group: Ranks = None,
) -> tuple[str, ...]:
    """Add to a running optimizer the groups of a report that it does not have: those just thawed.

    Their parameters get `requires_grad=True` and start without state; nothing else changes.
    `merge` and `prefix` are those with which the optimizer was built. Returns the names of the
    groups. Raises ValueError where the optimizer's own groups are not the report's, or its class
    refuses the new ones; the optimizer is then as it was.
    """
    from grouper.train.add_groups import extend
    from grouper.train.ranks import compare_ranks
    from grouper.train.wrapped import torch_optimizer

    torch_optimizer(optimizer)
    require_module("model", model)
    require("report", report, Report, "the report that `report.thaw(...)` gives")
    _require_names(report, True, prefix)
    with compare_ranks(model, process_group) as ranks:
        checked, grouping = checked_groups(model, report, merge=merge)
        _refuse(checked, ranks.disagreement(checked.rules, grouping))
        warn(checked.findings)
        return extend(optimizer, model, grouping, checked.rules, prefix)


def plan(
    model: Model,
    rules: Rules,
    *,
    steps_per_epoch: int | None = None,
    epochs: int | None = None,
    steps: int | None = None,
    merge: bool = False,
    prefix: str | None = None,
) -> Plan:
    """lr and momentum of every group at every step of a run.

    A step is one batch: `steps_per_epoch` is the length of the loader. A run counted in optimizer
    steps alone has `steps`, and rules that count none of its epochs. `merge` and `prefix` as in
    `build_optimizer`. Warns where the run ends before a group has its lr. Raises GroupingError
    where the rules do not fit the model or a claim about the plan fails, and ValueError where a
    group has no lr.
    """
    _require_names(rules, True, prefix)
    run = _run_length(steps, steps_per_epoch, epochs)
    return _plan(model, rules, run, merge, prefix)


def freeze_statistics(
    model: Module, rules: Rules, *, prefix: str | None = None
) -> FrozenStatistics:
    """Keep the running statistics of batch norms whose parameters are frozen as they are.

    They go into evaluation mode, now and at every `model.train()`, until `remove()` of what this
    returns, which is a context manager as well. Raises GroupingError where the rules do not fit
    the model. Convert norms (`convert_sync_batchnorm`) before.
    """
    from grouper.train.frozen_statistics import freeze_statistics_of

    require_module("model", model)
    _require_names(rules, True, prefix)
    return freeze_statistics_of(model, checked_groups(model, rules)[1], prefix)


def _run_length(
    steps: int | None, steps_per_epoch: int | None, epochs: int | None
) -> tuple[int, int, bool]:
    """Steps in an epoch, epochs, and whether the run is counted in steps alone."""
    given = {"steps": steps, "steps_per_epoch": steps_per_epoch, "epochs": epochs}
    named = {key for key, value in given.items() if value is not None}
    if named not in ({"steps"}, {"steps_per_epoch", "epochs"}):
        raise TypeError(
            "the length of a run is `steps`, or `steps_per_epoch` and `epochs`; given were"
            f" {quoted_list(sorted(named)) or 'none of them'}"
        )
    for key in sorted(named):
        what = "the length of the loader" if key == "steps_per_epoch" else "the run's length"
        require_integer(key, given[key], 1, what)
    if steps is not None:
        return steps, 1, True
    assert steps_per_epoch is not None
    assert epochs is not None
    return steps_per_epoch, epochs, False


def _plan(
    model: Model, rules: Rules, run: tuple[int, int, bool], merge: bool, prefix: str | None
) -> Plan:
    report, grouping = checked_groups(model, rules, merge=merge)
    if isinstance(rules, Report) and is_module(model):
        from grouper.train.part import planned_part

        grouping = planned_part(model, grouping, prefix)  # type: ignore[arg-type]
    planned = plan_of(report, grouping, *run)
    findings = in_order((*report.findings, *planned.findings))
    if any(finding.severity is Severity.ERROR for finding in planned.findings):
        raise GroupingError(replace(report, findings=findings))
    warn(findings)
    return planned


def plan_of(
    report: Report, grouping: Grouping, steps_per_epoch: int, epochs: int, in_steps: bool = False
) -> Plan:
    """The plan of a report's groups, with what there is to say about it in its `findings`.

    Raises ValueError as `make_plan` does.
    """
    made = make_plan(report.rules, grouping, steps_per_epoch, epochs, in_steps)
    assert report.assignment is not None
    context = Context(report.rules, report.inventory, report.assignment, grouping)
    findings = run_on_plan(context, made, unreached(made.groups, made.run))
    return replace(made, findings=findings)


def _require_names(rules: Rules, names: bool, prefix: str | None) -> None:
    require("names", names, bool, "True or False")
    require("prefix", prefix, (str, type(None)), "what the names of a part lack, or None")
    if prefix is not None and not isinstance(rules, Report):
        raise TypeError(
            "`prefix` says where a part is in the whole, so in the place of rules there must be a"
            " report of the whole: `grouper.check(whole, rules)`"
        )


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
