"""Parameters of recurrences decay.

The parameters of a state-space or linear-attention layer (`A_log`, `dt_bias`, `time_decay`)
determine how fast it forgets. Weight decay pulls them to 0; the authors of these models exempt
them.

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
    """One finding for all such parameters, if others are exempt from decay."""
    members = [
        one
        for one in context.trained
        if one.assigned[0].names[0].endswith(NAMES)
        and last_part(one.name) in NAMES
        and (one.number("weight_decay") or 0) > 0
    ]
    if not members:
        return
    exempt = [one for one in context.trained if one.number("weight_decay") == 0]
    if not exempt:
        return
    rule = most_common_rule(members, "weight_decay")
    declared = context.optimizers.get(members[0].group.optimizer or "")
    labels = place_of(rule, "weight_decay")
    names = sorted({last_part(one.name) for one in members})
    pattern = f"*.{names[0]}" if len(names) == 1 else f"*.{{{','.join(names)}}}"
    yield Finding(
        CODE,
        f"{count_phrase(members)} of recurrences {'decays' if len(members) == 1 else 'decay'}:"
        f" `{members[0].name}`",
        labels or labels_at(declared.span if declared is not None else None),
        tuple(one.name for one in members),
        help=f"exempt them from decay in an earlier rule: `{pattern} -> recurrence weight_decay=0`",
        candidates=_candidates(most_common_rule(exempt, "weight_decay"), rule, pattern),
    )


def _candidates(sparing: Rule | None, decaying: Rule | None, pattern: str) -> tuple[Fix, ...]:
    """The rule that exempts others extended to them, also with the rule that decays them limited
    to the rest."""
    if sparing is None or sparing.condition is not None:
        return ()
    more = also_selecting(sparing, pattern)
    if decaying is None or decaying.otherwise or decaying.selector is None:
        return (more,)
    return (more, (*more, *except_selecting(decaying, pattern)))
