"""A parameter that the model itself lists as free of decay decays.

Models of timm and others have `no_weight_decay()`: names of tokens, position tables and the like.
A file that spares norms and decays what the model lists is mostly an oversight.

    ndim <= 1              -> vector weight_decay=0              # a note where tokens are listed
    has no_weight_decay    -> vector weight_decay=0              # says it, too
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
    """One note for all of them, where norms are spared."""
    marks = context.inventory.marks
    carriers = marks.of("no_weight_decay") if marks is not None else None
    if not carriers:
        return
    norms = [one for one in context.trained if one.kind is Kind.NORM]
    if not norms or any(one.number("weight_decay") for one in norms):
        return
    found = [
        one
        for one in context.trained
        if not carriers.isdisjoint(one.parameter.names) and (one.number("weight_decay") or 0) > 0
    ]
    if found:
        rule = most_common_rule(found, "weight_decay", deciding=False)
        yield Finding(
            CODE,
            f"decay reaches {count_phrase(found)} that the model lists in `no_weight_decay`:"
            f" `{found[0].name}`",
            place_of(rule, "weight_decay"),
            tuple(one.name for one in found),
            help="spare them, too: `... or has no_weight_decay -> ... weight_decay=0`",
        )
