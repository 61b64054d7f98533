"""Frozen modules contain batch norms whose running statistics are still updated.

`freeze` affects only parameters. A batch norm in training mode still updates its running mean and
variance, so the outputs of a frozen backbone change.

    backbone.* -> freeze        # and in code: grouper.freeze_statistics(model, report)
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.module_kinds import last_part
from grouper.match.classes import owner_path
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR316", "frozen-statistics", Severity.NOTE, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One note for each freezing rule that matches batch norms."""
    modules = context.inventory.modules
    if modules is None:
        return
    for rule in context.rules.rules:
        if not rule.freezes:
            continue
        owners = {owner_path(p.name, modules) for p in context.members[id(rule)]}
        norms = [path for path in owners if path in modules and _is_batch_norm(modules[path])]
        if norms:
            yield Finding(
                CODE,
                f"{count_phrase(norms, 'frozen batch norm')} still update"
                f"{'s' * (len(norms) == 1)} running statistics in training mode",
                labels_at(rule.span),
                help="put them into evaluation mode: `grouper.freeze_statistics(model, report)`",
            )


def _is_batch_norm(module: object) -> bool:
    names = [getattr(module, "cls", ""), *(getattr(module, "bases", None) or ())]
    parts = [last_part(name) for name in names]
    return any("BatchNorm" in part for part in parts) and not any("Frozen" in p for p in parts)
