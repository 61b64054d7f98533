"""What there is to say about a model and its rules."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grouper.assignment import Assignment
from grouper.findings import Finding, Severity
from grouper.grouping import Grouping
from grouper.inventory.model import Inventory
from grouper.ruleset.model import RuleSet, Value


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

    def thaw(self, label: str, **options: Value) -> Report:
        """The report in which what the rules froze under a label is trained.

        See Grouping.thaw; `report.grouping` is its result. Raises ValueError where nothing that a
        rule froze has the label, or where the rules file itself is faulty.
        """
        if self.grouping is None:
            raise ValueError("the rules file is faulty, so that there is nothing to thaw")
        return replace(self, grouping=self.grouping.thaw(label, **options))
