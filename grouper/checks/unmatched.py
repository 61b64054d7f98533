"""A trainable parameter is matched by no rule.

It would silently not be trained. Every parameter needs a rule that assigns it to a group or freezes
it.

    model.24.* -> head lr=0.01        # bad: the other layers are in no group
    model.24.* -> head lr=0.01        # good
    else       -> body lr=0.001
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grouper.checks.context import Context
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.match.compile_selector import compile_selector
from grouper.model.inventory import Parameter
from grouper.text.findings import Code, Finding, Severity, labels_at
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
    rules = "else -> rest" if context.tried else _rules_for(unmatched, context)
    last = next((r.span for r in reversed(context.rules.rules) if r.span is not None), None)
    be = "is" if len(unmatched) == 1 else "are"
    yield Finding(
        CODE,
        f"{count_phrase(unmatched)} {be} matched by no rule",
        labels_at(last, "no rule up to here matches them"),
        context.names(unmatched),
        help=f"add a rule for them, such as `{rules}`, or freeze them: `else -> freeze`",
    )


def _rules_for(unmatched: Sequence[Parameter], context: Context) -> str:
    """Rules that match the parameters and nothing else, or one that matches all that is left."""
    patterns = fold(parameter.name for parameter in unmatched)
    if len(patterns) <= MOST_PATTERNS and _are_selectors(patterns, unmatched, context):
        return "; ".join(f"{pattern} -> rest" for pattern in patterns)
    return "else -> rest"


def _are_selectors(
    patterns: Iterable[str], unmatched: Sequence[Parameter], context: Context
) -> bool:
    """Whether the patterns are valid selectors of the parameters: names may have any characters."""
    try:
        selectors = tuple(map(parse_selector, patterns))
    except ValueError:
        return False
    test = compile_selector(tree.Or(selectors), context.inventory, {})
    return all(test(parameter).truth for parameter in unmatched)
