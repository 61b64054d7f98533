"""A rule's selector cannot match any name.

This is checked for rules without a model. `and` requires both sides at once; use `or` for the
parameters of either side. If only a tied parameter, which has several names, could match, this is a
warning, and it is not reported if the selector contains `tied`.

    encoder.* and decoder.* -> towers lr=0.1   # bad: a name cannot begin with both
    encoder.* or decoder.*  -> towers lr=0.1   # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.rule_edits import selector_text_of
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR122", "matches-no-name", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each such rule that is not optional."""
    for rule in context.rules.rules:
        if rule.selector is None or rule.optional:
            continue
        empty = context.claims.is_empty(context.claims.selected(rule))
        if empty or (empty is None and not _asks_for_tied(rule.selector)):
            yield _finding(rule, rule.selector, certain=empty is True)


def _asks_for_tied(selector: tree.Selector) -> bool:
    match selector:
        case tree.Flag(name=name):
            return name == "tied"
        case tree.And(operands=operands) | tree.Or(operands=operands):
            return any(map(_asks_for_tied, operands))
        case _:
            return False


def _finding(rule: Rule, selector: tree.Selector, certain: bool) -> Finding:
    conjunction = isinstance(selector, tree.And)
    help = "correct the selector, or remove the rule"
    if conjunction:
        help = "`and` requires both at once; use `or` for the parameters of either"
        if not certain:
            help += ", and `tied and ...` for tied parameters"
    return Finding(
        CODE,
        f"`{selector_text_of(rule)}` "
        + ("cannot match any name" if certain else "can only match tied parameters"),
        labels_at(selector.span),
        help=help,
        severity_override=None if certain else Severity.WARNING,
    )
