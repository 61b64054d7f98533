"""The audit of optimizers and their groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grouper.checks.audit.as_rules import context_of, shown_options
from grouper.checks.audit.audited import Audited
from grouper.checks.audit.table import AUDITS, OF_GROUPS
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.group.optimizer_groups import OptimizerGroups
from grouper.model.inventory import Inventory
from grouper.options.read_only import ReadOnly
from grouper.text.arguments import require, require_all
from grouper.text.dataclass import dataclass, replace
from grouper.text.findings import Finding, Severity, in_order, severity_counts
from grouper.text.printable import count_phrase, visible
from grouper.text.shown import Shown, line


@dataclass(frozen=True, repr=False)
class Audit(Shown):
    """The findings about the groups of optimizers, without rules.

    `path` is the checkpoint, or a name for the live model. `grouping` has the groups as the report
    shows them: without defaults of the class, and only with parameters of the model.
    """

    path: str
    inventory: Inventory
    optimizers: tuple[OptimizerGroups, ...]
    grouping: Grouping
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        require("inventory", self.inventory, Inventory, "an Inventory")
        require_all("findings", self.findings, Finding, "a tuple of findings")

    def __repr__(self) -> str:
        counts = severity_counts(finding.severity for finding in self.findings)
        totals = "".join(f", {count}" for count in counts)
        groups = count_phrase(self.grouping.groups, "group")
        return line(self, visible(f"{self.path}: {groups}{', ok' * self.ok}{totals}"))

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


def audit_of(audited: Audited, path: str, before: Iterable[Finding] = ()) -> Audit:
    """The audit; `before` are findings about the model."""
    findings = [*before, *(finding for check in AUDITS for finding in check.check(audited))]
    if audited.places and not audited.is_guessed:
        findings += _of_groups(audited)
    return Audit(
        path, audited.inventory, audited.optimizers, _grouping(audited), in_order(findings)
    )


def _of_groups(audited: Audited) -> Iterator[Finding]:
    """The findings of checks of rules on the groups, with help texts that do not mention rules."""
    context = context_of(audited)
    for check, help in OF_GROUPS.items():
        for finding in check.check(context):
            yield replace(finding, help=help, edits=(), candidates=())


def _grouping(audited: Audited) -> Grouping:
    several = len(audited.optimizers) > 1
    groups = tuple(
        Group(
            group.name,
            (group.label,) if group.label else (),
            shown_options(group),
            ReadOnly({}),
            audited.parameters(group),
            group.optimizer.optimizer if several else None,
        )
        for group in audited.groups
    )
    frozen = tuple(p for p in audited.inventory.parameters if p.trainable is False)
    return Grouping(groups, frozen)
