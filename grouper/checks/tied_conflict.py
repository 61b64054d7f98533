"""A tied parameter is matched by different rules through different names.

It is one tensor and gets one set of options, so the file should state which rule applies to it.

    embedding.* -> embedding lr=0.1
    head.*      -> head lr=0.2        # bad: `head.weight` is `embedding.weight`
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, all_names, rule_name
from grouper.match.assignment import ParameterAssignment
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR107", "tied-pulled-two-ways", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each tied parameter that rules match by different names."""
    for assigned in context.assignment.parameters:
        if assigned.parameter.tied and not assigned.conflicts and not assigned.frozen:
            yield from _finding(assigned)


def _finding(assigned: ParameterAssignment) -> Iterator[Finding]:
    by_name = {
        match.name_of(assigned.parameter): match.rule
        for match in assigned.matches
        if match.rule.split is None
    }
    if len(by_name) < 2:
        return
    *others, (last_name, last) = by_name.items()
    labels = labels_at(last.span, f"by `{last_name}`")
    for name, rule in others:
        labels += labels_at(rule.span, f"by `{name}`")
    rules = ", ".join(map(rule_name, by_name.values()))
    yield Finding(
        CODE,
        f"a tied parameter is matched through different names by {rules}",
        labels,
        all_names([assigned.parameter]),
        notes=("it is one tensor in one group, with the options of all of these rules",),
        help="begin one of the rules with `else`, or give the parameter its own rule",
    )
