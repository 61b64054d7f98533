"""A trainable parameter is matched by no rule.

It would silently fall out of training: every parameter is accounted for by a rule that
gives it options, or by one that freezes it.

    model.24.* -> head lr=0.01        # bad: the other layers are in no group
    model.24.* -> head lr=0.01        # good
    else       -> body lr=0.001
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, all_names
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.text.fold import fold
from grouper.text.printable import count_phrase

CODE = Code("GR101", "unmatched-parameter", Severity.ERROR, __doc__ or "")
MOST_PATTERNS = 4


def check(facts: Context) -> Iterator[Finding]:
    """One finding for all parameters that no rule at all matches."""
    missed = [a.parameter for a in facts.assignment.parameters if None in a.uncovered_splits]
    if not missed:
        return
    patterns = fold(p.name for p in missed)
    last = next((r.span for r in reversed(facts.rules.rules) if r.span is not None), None)
    whole = len(patterns) > MOST_PATTERNS
    fix = "else -> rest" if whole else "; ".join(f"{p} -> rest" for p in patterns)
    be = "is" if len(missed) == 1 else "are"
    yield Finding(
        CODE,
        f"{count_phrase(missed)} {be} matched by no rule",
        labels_at(last, "no rule up to here matches them"),
        all_names(missed),
        help=f"add a rule for them, such as `{fix}`, or freeze them: `else -> freeze`",
    )
