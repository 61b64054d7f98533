"""Parameters of recurrences decay.

The rates of a state-space or linear-attention layer (`A_log`, `dt_bias`, `time_decay`) say how fast
it forgets; decay pulls them to 0, and their authors spare them.

    else -> weight weight_decay=0.1                              # bad on a Mamba
    *.{A_log,dt_bias,D} -> recurrence weight_decay=0             # good, before it
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.module_kinds import last_part
from grouper.checks.rule_edits import except_selecting
from grouper.checks.trained import most_common_rule, place_of
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR317", "recurrence-decays", Severity.WARNING, __doc__ or "")

NAMES = ("A_log", "A_logs", "dt_bias", "time_decay", "time_faaaa", "time_first", "log_dt")


def check(context: Context) -> Iterator[Finding]:
    """One finding for all of them, where other vectors are spared."""
    found = [
        one
        for one in context.trained
        if last_part(one.name) in NAMES and (one.number("weight_decay") or 0) > 0
    ]
    spared = [one for one in context.trained if one.number("weight_decay") == 0]
    if not found or not spared:
        return
    rule = most_common_rule(found, "weight_decay")
    declared = context.optimizers.get(found[0].group.optimizer or "")
    labels = place_of(rule, "weight_decay")
    names = sorted({last_part(one.name) for one in found})
    pattern = f"*.{names[0]}" if len(names) == 1 else f"*.{{{','.join(names)}}}"
    yield Finding(
        CODE,
        f"decay reaches {count_phrase(found)} of recurrences: `{found[0].name}`",
        labels or labels_at(declared.span if declared is not None else None),
        tuple(one.name for one in found),
        help=f"spare them in a rule before: `{pattern} -> recurrence weight_decay=0`",
        candidates=(except_selecting(rule, pattern),) if rule is not None and rule.selector else (),
    )
