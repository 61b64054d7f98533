"""The pipeline: text to rules, model to inventory, both to a report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Union

from grouper import checks
from grouper.assign import assign
from grouper.assignment import Assignment
from grouper.checks import allowed
from grouper.checks.facts import Facts
from grouper.codes import ALL
from grouper.findings import Finding, Severity, in_order
from grouper.group import group
from grouper.grouping import Grouping
from grouper.inventory.model import Inventory
from grouper.ruleset import resolve
from grouper.ruleset.model import RuleSet, Value
from grouper.source import Source

if TYPE_CHECKING:
    from torch import nn

Model = Union["nn.Module", Inventory, str, Path]
Rules = RuleSet | str | Path


@dataclass(frozen=True)
class Report:
    """What there is to say about a model and its rules.

    `grouping` and `assignment` are None where the rules file itself is faulty.
    """

    rules: RuleSet
    inventory: Inventory
    findings: tuple[Finding, ...]
    assignment: Assignment | None = None
    grouping: Grouping | None = None

    @property
    def ok(self) -> bool:
        """Whether groups may be built: no finding is an error."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


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
    model inside it. Raises OSError where a file cannot be opened and
    grouper.inventory.errors.ModelError where it holds no model.
    """
    inventory = _inventory(model, key)
    rule_set = rules if isinstance(rules, RuleSet) else load(rules)
    if any(finding.severity is Severity.ERROR for finding in rule_set.findings):
        return Report(rule_set, inventory, (*rule_set.findings, *inventory.findings))
    assignment, found = assign(rule_set, inventory)
    grouping = group(assignment)
    facts = Facts(rule_set, inventory, assignment, grouping)
    findings = [*rule_set.findings, *inventory.findings, *found, *checks.run(facts)]
    accepted = allowed.apply(facts, findings, ALL)
    return Report(rule_set, inventory, in_order(accepted), assignment, grouping)


def strictly(report: Report) -> Report:
    """The report with warnings and notes raised to errors, for `--strict`."""
    error = Severity.ERROR
    findings = tuple(replace(f, severity_override=error) for f in report.findings)
    return replace(report, findings=findings)


def _inventory(model: Model, key: str | None) -> Inventory:
    if isinstance(model, Inventory):
        return model
    if isinstance(model, str | Path):
        from grouper.inventory.read import read

        return read(str(model), key)
    from grouper.inventory.live import inventory_of

    return inventory_of(model)
