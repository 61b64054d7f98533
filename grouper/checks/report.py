"""What checking gives."""

from __future__ import annotations

from grouper.group.grouping import Grouping
from grouper.language.ruleset import RuleSet
from grouper.match.assignment import Assignment
from grouper.model.inventory import NO_MODEL, Inventory
from grouper.options.values import Configured, Value
from grouper.text.arguments import require, require_all, require_values
from grouper.text.dataclass import dataclass, replace
from grouper.text.findings import Finding, Severity
from grouper.text.printable import count_phrase, visible
from grouper.text.shown import Shown, line


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """What there is to say about a model and its rules.

    `grouping` and `assignment` are None where the rules file itself has errors.
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
        counts = {s: sum(f.severity is s for f in self.findings) for s in Severity}
        found = "".join(f", {n} {s.value}{'s' * (n != 1)}" for s, n in counts.items() if n)
        words = f"{self.rules.path}{on if self.has_model else ''}{groups}{', ok' * self.ok}{found}"
        return line(self, visible(words))

    def __post_init__(self) -> None:
        require("rules", self.rules, RuleSet, "a RuleSet")
        require("inventory", self.inventory, Inventory, "an Inventory")
        require_all("findings", self.findings, Finding, "a tuple of findings")

    @property
    def ok(self) -> bool:
        """Whether groups can be built: no finding is an error."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def has_model(self) -> bool:
        """Whether there is a model, and not the rules alone."""
        return self.inventory != NO_MODEL

    def unfreeze(self, label: str, **options: Value) -> Report:
        """The report in which what the rules froze under a label is trained.

        See Grouping.unfreeze; `report.grouping` is its result, and `findings` include what is wrong
        with its groups. Raises ValueError where nothing that a rule froze has the label, where the
        rules file itself has errors, or where torch's optimizer cannot use the `options`.
        """
        from grouper.checks.unfreeze import unfreeze  # a report that is only shown loads no checks

        require("label", label, str, "a label of the rules")
        require_values(options, (Configured,))
        if self.grouping is None or self.assignment is None:
            raise ValueError("the rules file has errors, so nothing can be unfrozen")
        grouping, findings = unfreeze(self.assignment, self.grouping, self.findings, label, options)
        return replace(self, grouping=grouping, findings=findings)
