"""A parameter decays although the model lists it in `no_weight_decay()`.

timm and other libraries have `no_weight_decay()`, which lists tokens, position embeddings and the
like. If norms do not decay but these parameters do, this is probably an oversight.

    ndim <= 1              -> vector weight_decay=0              # a note if tokens are listed
    has no_weight_decay    -> vector weight_decay=0              # good, in addition
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.module_kinds import Kind
from grouper.checks.trained import most_common_rule, place_of
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR318", "listed-decays", Severity.NOTE, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One note for all such parameters, if norms do not decay."""
    marks = context.inventory.marks
    carriers = marks.of("no_weight_decay") if marks is not None else None
    if not carriers:
        return
    norms = [one for one in context.trained if one.kind is Kind.NORM]
    if not norms or any(one.number("weight_decay") for one in norms):
        return
    listed = [
        one
        for one in context.trained
        if not carriers.isdisjoint(one.parameter.names) and (one.number("weight_decay") or 0) > 0
    ]
    if listed:
        rule = most_common_rule(listed, "weight_decay", deciding=False)
        yield Finding(
            CODE,
            f"{count_phrase(listed)} {'decays' if len(listed) == 1 else 'decay'} although the model"
            f" lists {'it' if len(listed) == 1 else 'them'} in `no_weight_decay`:"
            f" `{listed[0].name}`",
            place_of(rule, "weight_decay"),
            tuple(one.name for one in listed),
            help="exempt them from decay: `... or has no_weight_decay -> ... weight_decay=0`",
        )
