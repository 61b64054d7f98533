"""A parameter is matched by no rule of a split.

Each parameter falls under exactly one rule of every split.

    split kind { *.bias -> bias }                     # bad: the weights are left out
    split kind { *.bias -> bias; else -> weight }     # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, all_names
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR109", "unmatched-in-split", Severity.ERROR, __doc__ or "")


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each split that leaves parameters out."""
    for split in facts.rules.splits:
        missed = [a.parameter for a in facts.assignment.parameters if split in a.uncovered_splits]
        if missed:
            rules = [rule for rule in facts.rules.rules if rule.split == split]
            span = rules[-1].span if rules else None
            yield Finding(
                CODE,
                f"{count_phrase(missed)} {'falls' if len(missed) == 1 else 'fall'}"
                f" under no rule of the"
                f" split `{split}`",
                labels_at(span, "the split's last rule"),
                all_names(missed),
                help="end the split with `else -> ...`, or add a rule for them",
            )
