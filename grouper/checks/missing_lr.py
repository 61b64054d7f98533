"""An optimizer is declared, but no statement or rule sets its learning rate.

All of torch's optimizers have a default lr and use it silently: 0.001 for SGD and AdamW, 1 for
Adadelta. If the file has a warm-up or a schedule, there is no lr to scale, and this is an error.

    optimizer AdamW
    * -> all weight_decay=0.1                    # bad
    * -> all weight_decay=0.1 lr=1e-3            # good
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grouper.checks.context import Context
from grouper.checks.foreign_option import says
from grouper.group.group import Group
from grouper.options.values import quoted_value
from grouper.text.dataclass import replace
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import quoted_list

CODE = Code("GR203", "missing-lr", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each optimizer, with all of its groups that have no lr."""
    sets = any(o.key == "lr" for rule in context.rules.rules for o in rule.options)
    for name, signature in context.signatures.items():
        if "lr" not in signature.constructor or "lr" in context.optimizers[name].options:
            continue
        if any(says(key, "lr") for key in context.optimizers[name].options):
            continue  # already an error
        groups = [
            group
            for group in context.grouping.groups
            if group.optimizer == name
            and "lr" not in group.options
            and not context.in_conflict(group, "lr", "optimizer")
        ]
        if groups or (context.without_model and context.rules.rules and not sets):
            yield _finding(context, name, groups)


def required(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings with a missing lr as an error, for runs with a plan."""
    return tuple(
        replace(finding, severity_override=Severity.ERROR) if finding.code == CODE else finding
        for finding in findings
    )


def _finding(context: Context, name: str, groups: list[Group]) -> Finding:
    declared, signature = context.optimizers[name], context.signatures[name]
    to = quoted_list(group.name for group in groups)
    planned = context.rules.warmup or context.rules.schedule or any(group.plan for group in groups)
    error = bool(planned) or "lr" not in signature.defaults
    result = "there is no lr to schedule" if planned else "it cannot be built"
    if not error:
        result = f"its default {quoted_value(signature.defaults['lr'])} applies"
    return Finding(
        CODE,
        f"`{declared.name}` has no `lr`{f' for {to}' if to else ''}: {result}",
        labels_at(declared.span),
        context.names(parameter for group in groups for parameter in group.parameters),
        help=f"write `optimizer {declared.name} lr=...`, or set `lr` in a rule",
        severity_override=Severity.ERROR if error else None,
    )
