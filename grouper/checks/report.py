"""What there is to say about a model and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grouper import checks
from grouper.checks.context import Context
from grouper.findings import Finding, Severity, in_order
from grouper.group.grouping import Group, Grouping
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment
from grouper.model.inventory import NO_MODEL, Inventory
from grouper.options.misspelt import torch_options
from grouper.options.signatures import Signature, signature
from grouper.options.torch_values import faults
from grouper.options.values import Value


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

    @property
    def has_model(self) -> bool:
        """Whether there is a model, and not the rules alone."""
        return self.inventory != NO_MODEL

    def thaw(self, label: str, **options: Value) -> Report:
        """The report in which what the rules froze under a label is trained.

        See Grouping.thaw; `report.grouping` is its result, and `findings` have what is wrong with
        its groups, too. Raises ValueError where nothing that a rule froze has the label, where the
        rules file itself is faulty, or where torch's optimizer cannot use the `options`.
        """
        if self.grouping is None or self.assignment is None:
            raise ValueError("the rules file is faulty, so that there is nothing to thaw")
        grouping = self.grouping.thaw(label, **options)
        signatures = {o.key: signature(o.name) for o in self.rules.optimizers}
        known = {name: found for name, found in signatures.items() if found is not None}
        for group in grouping.groups[len(self.grouping.groups) :]:
            _refuse_given(known.get(group.optimizer or ""), group, options)
        facts = Context(self.rules, self.inventory, self.assignment, grouping, known)
        findings = in_order([*self.findings, *checks.of_groups(facts)])
        return replace(self, grouping=grouping, findings=findings)


def _refuse_given(known: Signature | None, group: Group, options: Mapping[str, Value]) -> None:
    """Refuse options of a call, which stand in no file, where a finding would be if they did."""
    if known is None or known.known is None:
        return
    for key in options:
        if key in torch_options() and key not in known.options:
            raise ValueError(f"`{known.known}` has no option `{key}`, so `{group.name}` has none")
    values = {k: v for k, v in group.options.items() if k in known.options}
    for fault in faults(known.known, {**known.defaults, **values}):
        if set(fault.keys) & set(options):
            raise ValueError(f"`{group.name}` cannot be thawed so: {fault.what}")
