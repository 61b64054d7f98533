"""A parameter is matched by several rules that agree, and gets the options of all of them.

That is often intended (a rule for the head, a rule for biases), so it is only a note. With
`strict`, it is an error.

    model.24.* -> head lr=0.01
    *.bias     -> bias warmup_start=0.1     # the head's biases get both: group `head/bias`
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.language.ruleset import Rule
from grouper.match.assignment import ParameterAssignment
from grouper.model.inventory import Parameter
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR104", "composed-match", Severity.NOTE, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each set of top-level rules that share parameters."""
    shared: dict[tuple[int, ...], tuple[list[Rule], list[Parameter]]] = {}
    for alike in context.assignment.treated_alike:
        rules = _rules(alike[0])
        if len(rules) > 1 and not alike[0].conflicts and not alike[0].frozen:
            entry = shared.setdefault(tuple(map(id, rules)), (rules, []))
            entry[1].extend(assigned.parameter for assigned in alike)
    for rules, parameters in shared.values():
        yield _finding(context, rules, parameters)


def _rules(assigned: ParameterAssignment) -> list[Rule]:
    """The rules outside of splits that give the parameter a label or an option, if they match it by
    the same name."""
    useful = {id(setting.rule) for setting in assigned.settings if setting.effective}
    matches = [m for m in assigned.matches if m.rule.split is None and not m.rule.override]
    if len({match.name_index for match in matches}) > 1:
        return []  # reported by another check, for tied parameters
    return [m.rule for m in matches if m.rule.label is not None or id(m.rule) in useful]


def _finding(context: Context, rules: list[Rule], parameters: list[Parameter]) -> Finding:
    first, *others = rules
    labels = labels_at(others[-1].span, "this rule")
    for rule in (first, *others[:-1]):
        labels += labels_at(rule.span, "and this one")
    one, strict = len(parameters) == 1, context.rules.strict
    return Finding(
        CODE,
        f"{count_phrase(parameters)} {'is' if one else 'are'} matched by"
        f" {', '.join(map(rule_name, rules))} and {'gets' if one else 'get'} the options of all",
        labels,
        context.names(parameters),
        help="begin the later rule with `else` if only one should apply" if strict else None,
        severity_override=Severity.ERROR if strict else None,
    )
