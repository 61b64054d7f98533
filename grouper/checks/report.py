"""The result of checking a model and rules."""

from __future__ import annotations

from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment
from grouper.model.inventory import NO_MODEL, Inventory
from grouper.options.values import Configured, Value
from grouper.text.arguments import require, require_all, require_values
from grouper.text.dataclass import dataclass, replace
from grouper.text.findings import Finding, Severity, severity_counts
from grouper.text.printable import count_phrase, visible
from grouper.text.shown import Shown, line


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """The result of checking a model and its rules.

    `grouping` and `assignment` are None if the rules file itself has errors.
    """

    rules: RuleSet
    inventory: Inventory
    findings: tuple[Finding, ...]
    assignment: Assignment | None = None
    grouping: Grouping | None = None

    def __repr__(self) -> str:
        on = f" on {self.inventory.path}: {len(self.inventory.parameters)} tensors"
        groups = ""
        if self.has_model and self.grouping is not None:
            groups = f", {count_phrase(self.grouping.groups, 'group')}"
        counts = severity_counts(finding.severity for finding in self.findings)
        totals = "".join(f", {count}" for count in counts)
        words = f"{self.rules.path}{on if self.has_model else ''}{groups}{', ok' * self.ok}{totals}"
        return line(self, visible(words))

    def __post_init__(self) -> None:
        require("rules", self.rules, RuleSet, "a RuleSet")
        require("inventory", self.inventory, Inventory, "an Inventory")
        require_all("findings", self.findings, Finding, "a tuple of findings")

    @property
    def ok(self) -> bool:
        """Whether groups can be built: True if no finding is an error."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def has_model(self) -> bool:
        """Whether there is a model, not only rules."""
        return self.inventory != NO_MODEL

    def unfreeze(self, label: str, **options: Value) -> Report:
        """A report in which the parameters that the rules froze under a label are trained.

        `report.grouping` is the result of `Grouping.unfreeze`, and `findings` include those of its
        groups. `options` are set for the unfrozen groups. Raises ValueError if no parameter that a
        rule froze has the label, if the rules file has errors, or if torch's optimizer rejects the
        `options`.
        """
        from grouper.checks.unfreeze import unfreeze  # not needed to show a report

        require("label", label, str, "a label of the rules")
        require_values(options, (Configured,))
        if self.grouping is None or self.assignment is None:
            raise ValueError("the rules file has errors, so nothing can be unfrozen")
        grouping, findings = unfreeze(self.assignment, self.grouping, self.findings, label, options)
        return replace(self, grouping=grouping, findings=findings)
