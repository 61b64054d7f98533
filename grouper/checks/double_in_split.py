"""A parameter falls under several rules of one split.

A split divides the parameters: each falls under exactly one of its rules.

    split kind { *.bias -> bias; *.bn.* -> norm; else -> weight }        # bad: bn.bias
    split kind { *.bias -> bias; else *.bn.* -> norm; else -> weight }   # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, all_names, rule_name
from grouper.findings import Code, Edit, Finding, Severity, labels_at
from grouper.language.ruleset import Rule
from grouper.model.inventory import Parameter
from grouper.text.printable import count_phrase

CODE = Code("GR103", "double-matched", Severity.ERROR, __doc__ or "")


def check(facts: Context) -> Iterator[Finding]:
    """One finding for each set of rules of a split that share parameters."""
    found: dict[tuple[int, ...], tuple[list[Rule], list[Parameter]]] = {}
    for assigned in facts.assignment.parameters:
        for split in assigned.overlapping_splits:
            rules = [match.rule for match in assigned.matches if match.rule.split == split]
            key = tuple(map(id, rules))
            found.setdefault(key, (rules, []))[1].append(assigned.parameter)
    for rules, parameters in found.values():
        *others, last = rules
        labels = labels_at(last.span, "and this one")
        for rule in others:
            labels += labels_at(rule.span, "this rule")
        selector = last.selector.span if last.selector is not None else None
        edits = (Edit(selector, f"else {selector.text}"),) if selector else ()
        fall = "falls" if len(parameters) == 1 else "fall"
        yield Finding(
            CODE,
            f"{count_phrase(parameters)} {fall} under {len(rules)} rules of the split"
            f" `{last.split}`:"
            f" {', '.join(map(rule_name, rules))}",
            labels,
            all_names(parameters),
            help="let the later rule take only what the earlier left: begin it with `else`",
            edits=edits,
        )
