"""A parameter is matched by no rule of a split.

Each parameter is matched by exactly one rule of every split.

    split kind { *.bias -> bias }                     # bad: the weights are left out
    split kind { *.bias -> bias; else -> weight }     # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR109", "unmatched-in-split", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each split that leaves parameters out."""
    for split in context.rules.splits:
        unmatched = [
            assigned.parameter
            for assigned in context.assignment.parameters
            if split in assigned.uncovered_splits
        ]
        if unmatched:
            rules = [rule for rule in context.rules.rules if rule.split == split]
            be = "is" if len(unmatched) == 1 else "are"
            yield Finding(
                CODE,
                f"{count_phrase(unmatched)} {be} matched by no rule of the split `{split}`",
                labels_at(rules[-1].span if rules else None, "the split's last rule"),
                context.names(unmatched),
                help="end the split with `else -> ...`, or add a rule for them",
            )
