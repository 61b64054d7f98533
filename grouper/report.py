"""What there is to say about a model and its rules."""

from __future__ import annotations

from dataclasses import dataclass

from grouper.assignment import Assignment
from grouper.findings import Finding, Severity
from grouper.grouping import Grouping
from grouper.inventory.model import Inventory
from grouper.ruleset.model import RuleSet


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
