"""A selector needs information that the model's file does not contain.

A state dict has no classes, and a pickled module has the name of its class but not its base
classes. The selector is then treated as not matching.

    in @Detect -> head                # bad on a state dict
    model.24.* -> head                # good on a state dict
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.language.syntax import tree
from grouper.match.assignment import UnansweredSelector
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR110", "unanswerable-question", Severity.ERROR, __doc__ or "")
MOST_REASONS = 4


def check(context: Context) -> Iterator[Finding]:
    """One finding for each undecided selector; a warning if only base classes are unknown."""
    by_selector: dict[tree.Selector, list[UnansweredSelector]] = {}
    for unanswered in context.assignment.unanswered:
        by_selector.setdefault(unanswered.selector, []).append(unanswered)
    for several in by_selector.values():
        yield _finding(context, several)


def _finding(context: Context, several: list[UnansweredSelector]) -> Finding:
    parameters = {id(p): p for unanswered in several for p in unanswered.parameters}
    reasons = list(dict.fromkeys(unanswered.reason for unanswered in several))
    more = len(reasons) - MOST_REASONS
    only_bases = all("bases" in reason for reason in reasons)
    return Finding(
        CODE,
        f"`{several[0].question}` cannot be determined for {count_phrase(parameters)}",
        labels_at(several[0].selector.span),
        context.names(parameters.values()),
        notes=(*reasons[:MOST_REASONS], *([f"and {more} more"] if more > 0 else [])),
        help="check the live model instead (`grouper.check(model, rules)`), or a snapshot of it"
        if only_bases
        else "select by name, or check a pickled model, a snapshot of it, or the live model",
        severity_override=Severity.WARNING if only_bases else None,
    )
