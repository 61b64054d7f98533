"""A parameter is matched by several rules of one split.

A split divides the parameters: each is matched by exactly one of its rules.

    split kind { *.bias -> bias; *.bn.* -> norm; else -> weight }        # bad: bn.bias
    split kind { *.bias -> bias; else *.bn.* -> norm; else -> weight }   # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.language.ruleset import Rule
from grouper.model.inventory import Parameter
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR103", "double-matched", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each set of rules of a split that share parameters."""
    shared: dict[tuple[int, ...], tuple[list[Rule], list[Parameter]]] = {}
    for alike in context.assignment.treated_alike:
        for split in alike[0].overlapping_splits:
            rules = [rule for rule in alike[0].rules if rule.split == split]
            entry = shared.setdefault(tuple(map(id, rules)), (rules, []))
            entry[1].extend(assigned.parameter for assigned in alike)
    for rules, parameters in shared.values():
        yield _finding(context, rules, parameters)


def _finding(context: Context, rules: list[Rule], parameters: list[Parameter]) -> Finding:
    *others, last = rules
    labels = labels_at(last.span, "and this one")
    for rule in others:
        labels += labels_at(rule.span, "this rule")
    matched = [context.matched[id(rule)] for rule in rules]
    help = (
        "begin the later rule with `else`, and put the rule that should match these parameters"
        " first"
    )
    if matched[-1] <= set().union(*matched[:-1]):
        help = (
            "put the last rule, which is the narrower one, first, and begin the others with `else`"
        )
    be = "is" if len(parameters) == 1 else "are"
    return Finding(
        CODE,
        f"{count_phrase(parameters)} {be} matched by {len(rules)} rules of the split"
        f" `{last.split}`: {', '.join(map(rule_name, rules))}",
        labels,
        context.names(parameters),
        help=help,
    )
