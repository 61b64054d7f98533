"""An optimizer is declared, but no group is sent to it.

It may be a leftover, or `optimizer=` is missing from a rule.

    optimizer AdamW lr=1e-3
    optimizer Muon as hidden lr=0.02
    ndim == 2 -> matrix                          # bad: nothing is sent to `hidden`
    ndim == 2 -> matrix optimizer=hidden         # good
    else      -> rest
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR205", "unused-optimizer", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each declared optimizer without groups, not even frozen ones."""
    used = _named_by_rules(context) if context.without_model else _with_groups(context)
    used = used and used | _optional(context)
    for name, declared in context.optimizers.items():
        if used and name not in used:
            yield Finding(
                CODE,
                f"no group is sent to the optimizer `{name}`",
                labels_at(declared.span),
                help=f"send one to it with `optimizer={name}` in a rule, or remove it",
            )


def _optional(context: Context) -> set[str | None]:
    """The optimizers of `optional` rules."""
    options = (o for rule in context.rules.rules if rule.optional for o in rule.options)
    return {getattr(o.value, "name", None) for o in options if o.key == "optimizer"}


def _with_groups(context: Context) -> set[str | None]:
    grouping = context.grouping
    if not grouping.groups:
        return set()
    frozen = {frozen.group.optimizer for frozen in grouping.frozen_groups}
    return {group.optimizer for group in grouping.groups} | frozen


def _named_by_rules(context: Context) -> set[str | None]:
    """The optimizers that rules name, and the first one, which is the default."""
    if not context.rules.rules or not context.optimizers:
        return set()
    named: set[str | None] = {next(iter(context.optimizers))}
    for rule in context.rules.rules:
        for option in rule.options:
            if option.key == "optimizer":
                word = getattr(option.value, "name", getattr(option.value, "value", None))
                named.add(str(context.rules.variables.get(str(word), word)))
    return named
