"""A group's label contradicts its options.

Readers of the file rely on labels such as `no_decay` and `frozen`.

    *.bias -> no_decay weight_decay=0.01        # bad
    *.bias -> no_decay weight_decay=0           # good
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grouper.checks.context import Context
from grouper.checks.rule_edits import frozen, with_option
from grouper.checks.trained import Trained, place_of
from grouper.language.ruleset import Rule
from grouper.options.values import rounded_text
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR303", "label-contradicts", Severity.WARNING, __doc__ or "")

NO_DECAY = re.compile(
    r"(^|[_.-])(no|non|without|zero|skip|exempt)[_-]?(wd|decay|weight[_-]?decay)\b", re.I
)
FROZEN = re.compile(r"^(frozen|freeze)([_-]|$)", re.I)


def check(context: Context) -> Iterator[Finding]:
    """One finding for each label that contradicts the options of its parameters."""
    labels = {label for group in context.grouping.groups for label in group.labels}
    spoken = {label for label in labels if NO_DECAY.search(label) or FROZEN.search(label)}
    by_label: dict[str, list[Trained]] = {}
    for one in context.trained if spoken else ():
        for label in filter(spoken.__contains__, one.group.labels):
            by_label.setdefault(label, []).append(one)
    for label, members in by_label.items():
        decaying = [one for one in members if (one.number("weight_decay") or 0) > 0]
        if NO_DECAY.search(label) and decaying:
            yield _decays(label, decaying)
        elif FROZEN.search(label) and members:
            yield _trains(label, members)


def _labelled(label: str, one: Trained) -> Rule | None:
    for match in one.assigned.matches:
        pieces = match.rule.label.pieces if match.rule.label is not None else ()
        text = "".join(getattr(p, "text", "") for p in pieces)
        if text and label.startswith(text[:3]) and (text == label or len(pieces) > 1):
            return match.rule
    return one.rule("weight_decay")


def _decays(label: str, members: Sequence[Trained]) -> Finding:
    first = members[0]
    rule, setting = _labelled(label, first), first.setting("weight_decay")
    decay = rounded_text(first.value("weight_decay"))
    is_set = "weight_decay" in first.group.options
    why = "" if is_set else f", the default of its class (`{first.group.optimizer}`)"
    labels = place_of(rule, None, "promises no decay")
    if setting is not None:
        labels = place_of(setting.rule, "weight_decay", "sets it") + (
            labels if setting.rule is not rule else ()
        )
    return Finding(
        CODE,
        f"`{label}` decays {count_phrase(members)}: `weight_decay` is {decay}{why}",
        labels,
        tuple(one.name for one in members),
        help="write `weight_decay=0` in the rule, or rename it",
        candidates=(with_option(rule, "weight_decay=0"),) if rule is not None else (),
    )


def _trains(label: str, members: Sequence[Trained]) -> Finding:
    rule = _labelled(label, members[0])
    return Finding(
        CODE,
        f"`{label}` is trained ({count_phrase(members)}): a label does not freeze parameters",
        place_of(rule),
        tuple(one.name for one in members),
        help="write `freeze` after the arrow: `SELECTOR -> freeze`, or rename it",
        candidates=(frozen(rule),) if rule is not None else (),
    )
