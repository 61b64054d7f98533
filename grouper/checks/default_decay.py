"""A group gets the optimizer's default weight decay, while other groups set theirs.

The default of torch's AdamW is 0.01, so a group that should not decay must set `weight_decay=0`.

    optimizer AdamW lr=1e-3
    *.bias -> bias                              # bad: decays by 0.01
    else   -> weight weight_decay=0.05

    *.bias -> bias weight_decay=0               # good
    else   -> weight weight_decay=0.05
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.foreign_option import says
from grouper.checks.rule_edits import with_option
from grouper.checks.trained import Trained, place_of
from grouper.language.ruleset import Rule
from grouper.options.values import value_text
from grouper.text.findings import Code, Finding, Fix, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR304", "default-decay", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each group that gets the default decay, if another one is set anywhere."""
    is_set = any("weight_decay" in group.options for group in context.grouping.groups) or any(
        "weight_decay" in optimizer.options for optimizer in context.rules.optimizers
    )
    if not is_set:
        return
    silent = {
        id(group)
        for group in context.grouping.groups
        if "weight_decay" not in group.options
        and not any(says(key, "weight_decay") for key in group.options)  # already an error
    }
    by_group: dict[str, list[Trained]] = {}
    for one in context.trained if silent else ():
        if id(one.treated.group) in silent and one.number("weight_decay"):
            by_group.setdefault(one.group.name, []).append(one)
    for name, members in by_group.items():
        first = members[0]
        rule = first.assigned.rules[-1] if first.assigned.rules else None
        default = value_text(first.value("weight_decay"))
        declared = context.optimizers.get(first.group.optimizer or "")
        what = declared.name if declared is not None else first.group.optimizer
        yield Finding(
            CODE,
            f"`{name}` does not set `weight_decay`, so {count_phrase(members)}"
            f" {'decays' if len(members) == 1 else 'decay'} by the default of `{what}`, {default};"
            " other groups set theirs",
            place_of(rule),
            tuple(one.name for one in members),
            help=f"set it explicitly: `weight_decay=0`, or `weight_decay={default}`",
            candidates=_candidates(rule, members),
        )


def _candidates(rule: Rule | None, members: list[Trained]) -> tuple[Fix, ...]:
    """`weight_decay=0` if most of the parameters are vectors; nothing for matrices, whose decay
    cannot be guessed."""
    vectors = sum((one.parameter.ndim or 0) < 2 for one in members)
    if rule is None or 2 * vectors < len(members):
        return ()
    return (with_option(rule, "weight_decay=0"),)
