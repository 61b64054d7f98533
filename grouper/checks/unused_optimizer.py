"""An optimizer is declared, and no group goes to it.

It may be a leftover, or a rule lacks its `optimizer=`.

    optimizer AdamW lr=1e-3
    optimizer Muon as hidden lr=0.02
    ndim == 2 -> matrix                          # bad: nothing goes to `hidden`
    ndim == 2 -> matrix optimizer=hidden         # good
    else      -> rest
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.findings import Code, Finding, Severity, labels_at

CODE = Code("GR205", "unused-optimizer", Severity.WARNING, __doc__ or "")


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each declared optimizer that trains nothing, and would thaw nothing."""
    used = _named(facts) if facts.alone else _trained(facts)
    for name, declared in facts.optimizers.items():
        if used and name not in used:
            yield Finding(
                CODE,
                f"no group goes to the optimizer `{name}`",
                labels_at(declared.span),
                help=f"send one to it by `optimizer={name}` in a rule, or take it away",
            )


def _trained(facts: Context) -> set[str | None]:
    if not facts.grouping.groups:
        return set()
    held = [held.group.optimizer for held in facts.grouping.frozen_groups]
    return {*(group.optimizer for group in facts.grouping.groups), *held}


def _named(facts: Context) -> set[str | None]:
    """Those that rules name; the first may always be that of a group that names none."""
    if not facts.rules.rules or not facts.optimizers:
        return set()
    named: set[str | None] = {next(iter(facts.optimizers))}
    for rule in facts.rules.rules:
        for option in rule.options:
            if option.key == "optimizer":
                word = getattr(option.value, "name", getattr(option.value, "value", None))
                named.add(str(facts.rules.variables.get(str(word), word)))
    return named
