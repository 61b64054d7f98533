"""Edits misspelt options where the correction is certain and causes no other error."""

from __future__ import annotations

from collections.abc import Container, Mapping

from grouper.checks.context import Context
from grouper.language.ruleset import Optimizer, Rule
from grouper.language.syntax import tree
from grouper.options.misspelt import misspelt
from grouper.options.plan_keys import PLAN
from grouper.options.signatures import Signature
from grouper.options.torch_values import KINDS, faults
from grouper.options.values import Value
from grouper.text.findings import Edit
from grouper.text.source import Span


def edit_in_statement(
    declared: Optimizer, key: str, place: Span | None, signature: Signature | None
) -> tuple[Edit, ...]:
    """The edit of a key of an `optimizer` statement."""
    correction = misspelt(key)
    if correction is None or place is None or place.text != key or correction in declared.options:
        return ()
    values: Mapping[str, Value] = {correction: declared.options[key]}
    if signature is not None:
        if correction not in signature.constructor:
            return ()
        own = {k: v for k, v in declared.options.items() if k in signature.constructor}
        values = {**signature.defaults, **own, **values}
    known = signature.known if signature is not None else None
    return (Edit(place, correction),) if _fit(values, known, correction) else ()


def edit_in_rule(
    context: Context, rule: Rule, option: tree.Option, possible: Container[str] | None = None
) -> tuple[Edit, ...]:
    """The edit of a key of a rule. `possible` are the options that its optimizer takes."""
    correction = misspelt(option.key)
    if correction is None or option.key_span is None or option.operator != "=":
        return ()
    if any(other.key == correction for other in rule.options) or (
        possible is not None and correction not in possible
    ):
        return ()
    for group in context.grouping.groups:
        options = context.group_options[group.name]
        here = [o for o in options if o.setting.option is option]
        if here and any(o.setting.option.key == correction for o in options):
            return ()
        signature = context.signatures.get(group.optimizer or "")
        defaults = signature.defaults if signature is not None else {}
        known = signature.known if signature is not None else None
        for own in here:
            if not _fit(
                {**defaults, **group.options, correction: own.setting.value}, known, correction
            ):
                return ()
    if correction == "freeze" and len(rule.options) > 1:
        return ()
    return (Edit(option.key_span, correction),)


def _fit(options: Mapping[str, Value], known: str | None, key: str) -> bool:
    """Whether an option can have this value, together with the other options."""
    constraint = PLAN.get(key) or KINDS.get(key)
    if constraint is not None and not constraint[1](options[key]):
        return False
    return known is None or not any(key in fault.keys for fault in faults(known, options))
