"""A trainable parameter is matched by no rule.

It would silently not be trained. Every parameter needs a rule that gives it options, or one that
freezes it.

    model.24.* -> head lr=0.01        # bad: the other layers are in no group
    model.24.* -> head lr=0.01        # good
    else       -> body lr=0.001
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.text.fold import fold
from grouper.text.printable import count_phrase

CODE = Code("GR101", "unmatched-parameter", Severity.ERROR, __doc__ or "")
MOST_PATTERNS = 4


def check(context: Context) -> Iterator[Finding]:
    """One finding for all parameters that no rule matches."""
    unmatched = [
        assigned.parameter
        for assigned in context.assignment.parameters
        if None in assigned.uncovered_splits
    ]
    if not unmatched:
        return
    patterns = fold(parameter.name for parameter in unmatched)
    too_many = len(patterns) > MOST_PATTERNS
    rules = "else -> rest" if too_many else "; ".join(f"{p} -> rest" for p in patterns)
    last = next((r.span for r in reversed(context.rules.rules) if r.span is not None), None)
    be = "is" if len(unmatched) == 1 else "are"
    yield Finding(
        CODE,
        f"{count_phrase(unmatched)} {be} matched by no rule",
        labels_at(last, "no rule up to here matches them"),
        context.names(unmatched),
        help=f"add a rule for them, such as `{rules}`, or freeze them: `else -> freeze`",
    )
