"""A rule matches parameters but has no effect on any of them.

All of its options are overridden, and it has no label, so it can be removed.

    *.bias          -> lr=0.02        # bad
    override *.bias -> lr=0.05
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR106", "rule-never-decides", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule whose settings are never effective."""
    matched: set[int] = set()
    deciding: set[int] = set()
    for first, *_ in context.assignment.treated_alike:
        matched |= {id(rule) for rule in first.rules}
        # Options on which rules disagree are reported as a conflict.
        deciding |= {
            id(s.rule) for s in first.settings if s.effective or s.option.key in first.conflicts
        }
    for rule in context.rules.rules:
        useful = rule.label is not None or rule.freezes or id(rule) in deciding
        if id(rule) in matched and not useful:
            yield Finding(
                CODE,
                "the rule has no effect: every option that it sets is overridden",
                labels_at(rule.span),
                help="remove it",
            )
