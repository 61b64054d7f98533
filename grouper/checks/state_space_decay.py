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
from grouper.checks.rule_edits import also_selecting, except_selecting
from grouper.checks.trained import most_common_rule, place_of
from grouper.language.ruleset import Rule
from grouper.text.findings import Code, Finding, Fix, Severity, labels_at
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
        candidates=_candidates(most_common_rule(spared, "weight_decay"), rule, pattern),
    )


def _candidates(sparing: Rule | None, decaying: Rule | None, pattern: str) -> tuple[Fix, ...]:
    """With the rule that spares others; and, where that one comes first, without the one that
    decays them."""
    if sparing is None or sparing.condition is not None:
        return ()
    more = also_selecting(sparing, pattern)
    if decaying is None or decaying.otherwise or decaying.selector is None:
        return (more,)
    return (more, (*more, *except_selecting(decaying, pattern)))
