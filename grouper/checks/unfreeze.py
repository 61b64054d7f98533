"""Unfreezes a label with options given in a call, and checks the result."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.checks.context import Context, known_signatures
from grouper.checks.run import run_on_groups
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.match.assignment import Assignment
from grouper.options.misspelt import torch_options
from grouper.options.signatures import Signature
from grouper.options.torch_values import faults
from grouper.options.values import Value
from grouper.text.findings import Finding, in_order


def unfreeze(
    assignment: Assignment,
    grouping: Grouping,
    findings: tuple[Finding, ...],
    label: str,
    options: Mapping[str, Value],
) -> tuple[Grouping, tuple[Finding, ...]]:
    """The grouping in which the label is trained, and the findings including those of its groups.

    Raises ValueError like `Report.unfreeze`.
    """
    unfrozen = grouping.unfreeze(label, **options)
    signatures = known_signatures(assignment.rules)
    for group in unfrozen.groups[len(grouping.groups) :]:
        _refuse_options(signatures.get(group.optimizer or ""), group, options)
    context = Context(assignment.rules, assignment.inventory, assignment, unfrozen, signatures)
    return unfrozen, in_order([*findings, *run_on_groups(context)])


def _refuse_options(
    signature: Signature | None, group: Group, options: Mapping[str, Value]
) -> None:
    """Raise ValueError for options that would be errors in a rules file."""
    if signature is None or signature.known is None:
        return
    for key in options:
        if key in torch_options() and key not in signature.options:
            raise ValueError(
                f"`{signature.known}` has no option `{key}`, so `{group.name}` cannot be unfrozen"
                " with it"
            )
    values = {key: v for key, v in group.options.items() if key in signature.options}
    for fault in faults(signature.known, {**signature.defaults, **values}):
        if set(fault.keys) & set(options):
            raise ValueError(f"`{group.name}` cannot be unfrozen with these options: {fault.what}")
