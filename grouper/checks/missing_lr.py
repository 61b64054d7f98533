"""An optimizer is named, and no statement or rule gives its parameters a learning rate.

torch's optimizers all have a rate of their own, which they take in silence: 0.001 for SGD and
AdamW, 1 for Adadelta. Where the file warms the rate up or has a schedule there is nothing to start
from, and the finding is an error.

    optimizer AdamW
    * -> all weight_decay=0.1                    # bad
    * -> all weight_decay=0.1 lr=1e-3            # good
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from grouper.checks.context import Context, all_names
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.group.grouping import Group
from grouper.options.values import quoted_value

CODE = Code("GR203", "missing-lr", Severity.WARNING, __doc__ or "")


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each optimizer, with all groups of it that have no rate."""
    sets = any(o.key == "lr" for rule in facts.rules.rules for o in rule.options)
    for name, signature in facts.signatures.items():
        if "lr" not in signature.constructor or "lr" in facts.optimizers[name].options:
            continue
        groups = [g for g in facts.grouping.groups if g.optimizer == name and "lr" not in g.options]
        if groups or (facts.alone and facts.rules.rules and not sets):
            yield _finding(facts, name, groups)


def required(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings of a run that is to be planned, for which a missing lr is an error."""
    return tuple(
        replace(finding, severity_override=Severity.ERROR) if finding.code is CODE else finding
        for finding in findings
    )


def _finding(facts: Context, name: str, groups: list[Group]) -> Finding:
    declared, signature = facts.optimizers[name], facts.signatures[name]
    to = ", ".join(f"`{group.name}`" for group in groups)
    planned = facts.rules.warmup or facts.rules.schedule or any(group.plan for group in groups)
    error = bool(planned) or "lr" not in signature.defaults
    would = "nothing can be planned" if planned else "it cannot be built"
    if not error:
        would = f"its own would be taken, {quoted_value(signature.defaults['lr'])}"
    return Finding(
        CODE,
        f"nothing gives `{declared.name}` an `lr`{f' for {to}' if to else ''}: {would}",
        labels_at(declared.span),
        all_names([parameter for group in groups for parameter in group.parameters]),
        help=f"write `optimizer {declared.name} lr=...`, or set `lr` in a rule",
        severity_override=Severity.ERROR if error else None,
    )
