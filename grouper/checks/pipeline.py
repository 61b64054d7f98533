"""Runs all stages, from rules and an inventory to the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from grouper.checks.context import Context, known_signatures
from grouper.checks.report import Report
from grouper.checks.run import run
from grouper.group.form_groups import form_groups
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Matches
from grouper.match.match_rules import match_rules
from grouper.match.resolve_options import resolve_options
from grouper.model.base_model import BaseParameters, base_parameters
from grouper.model.inventory import Inventory, Parameter
from grouper.options.signatures import Signature
from grouper.text.collector import collector_off
from grouper.text.findings import Severity, in_order

ReadBase: TypeAlias = Callable[[str | None], BaseParameters]
Matcher: TypeAlias = Callable[[RuleSet, Inventory, Mapping[str, Parameter] | None], Matches]


def checked(
    inventory: Inventory,
    rules: RuleSet,
    signatures: Mapping[str, Signature],
    read_base: ReadBase = base_parameters,
    match: Matcher = match_rules,
) -> Report:
    """The report, with verified edits. Callers with caches pass `read_base`, which reads a base
    model by its path, and `match`."""

    def analyse(other: RuleSet) -> Report:
        known = {**known_signatures(other), **signatures}
        return _analysed(inventory, other, known, read_base, match_rules, tried=True)

    with collector_off():
        report = _analysed(inventory, rules, signatures, read_base, match)
        if any(finding.candidates for finding in report.findings):
            from grouper.checks.verified_edits import verify

            return verify(report, analyse)
        return report


def _analysed(
    inventory: Inventory,
    rules: RuleSet,
    signatures: Mapping[str, Signature],
    read_base: ReadBase,
    match: Matcher,
    tried: bool = False,
) -> Report:
    if has_errors(rules):
        return Report(rules, inventory, (*rules.findings, *inventory.findings))
    base = read_base(rules.base_model)
    matches = match(rules, inventory, base.parameters)
    if matches.limit is not None:
        return Report(rules, inventory, (*rules.findings, matches.limit))
    assignment = resolve_options(matches)
    grouping = form_groups(assignment)
    context = Context(
        rules, inventory, assignment, grouping, signatures, base=base.parameters, tried=tried
    )
    stages = (rules, inventory, base, matches, assignment)
    findings = run(context, [finding for stage in stages for finding in stage.findings])
    return Report(rules, inventory, in_order(findings), assignment, grouping)


def has_errors(rules: RuleSet) -> bool:
    """Whether the rules file itself has errors; it is then not matched with a model."""
    return any(finding.severity is Severity.ERROR for finding in rules.findings)
