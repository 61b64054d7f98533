"""What is frozen, and who froze it: the model, or rules by their places."""

from __future__ import annotations

from collections.abc import Iterator

from grouper.group.grouping import Grouping
from grouper.language.ruleset import Rule, RuleSet, rules_text
from grouper.match.assignment import Assignment, ParameterAssignment
from grouper.model.inventory import Parameter
from grouper.reports.lines import Line, styled, wrapped
from grouper.reports.output import Output
from grouper.reports.patterns import pattern_lines
from grouper.text.dataclass import replace
from grouper.text.printable import count_phrase, shortened, size_phrase, visible

LONGEST = 50  # letters of a rule


def frozen_by(
    grouping: Grouping, assignment: Assignment | None
) -> dict[str, tuple[Parameter, ...]]:
    """The frozen parameters by who froze them, in words; without an assignment nobody knows."""
    if not grouping.frozen:
        return {}
    if assignment is None:
        return {"": grouping.frozen}
    ids = {id(parameter) for parameter in grouping.frozen}
    names: dict[int, str] = {}  # by the `id` of the matches, which many parameters share
    found: dict[str, list[Parameter]] = {}
    for assigned in assignment.parameters:
        if id(assigned.parameter) in ids:
            key = id(assigned.matches)
            if assigned.parameter.trainable is False:
                who = "the model"
            else:
                who = names[key] if key in names else names.setdefault(key, _freezers(assigned))
            found.setdefault(who, []).append(assigned.parameter)
    return {who: tuple(parameters) for who, parameters in found.items()}


def frozen_lines(
    grouping: Grouping, assignment: Assignment | None, output: Output
) -> Iterator[Line]:
    """How much is frozen, by whom, and the names."""
    for who, parameters in frozen_by(grouping, assignment).items():
        facts = facts_of(parameters)
        head = f"frozen by {who}: {facts}" if who else f"frozen: {facts}"
        yield from wrapped(styled((f"  {head}", "dim")), output.columns, 4)
        names = [parameter.name for parameter in parameters]
        for line in pattern_lines(names, output, output.columns - 6):
            yield styled((f"      {line}", "dim"))


def facts_of(parameters: tuple[Parameter, ...]) -> str:
    """`3 tensors, 765 parameters`."""
    size = size_phrase(sum(parameter.numel or 0 for parameter in parameters))
    return f"{count_phrase(parameters, 'tensor')}, {size}"


def _freezers(assigned: ParameterAssignment) -> str:
    rules = dict.fromkeys(_written(m.rule) for m in assigned.matches if m.rule.freezes)
    return " and ".join(rules)


def _written(rule: Rule) -> str:
    """`` `else -> freeze` (my.rules:3) ``."""
    if rule.span is None:  # made in Python
        text = rules_text(RuleSet((replace(rule, split=None),)))
        return f"`{visible(shortened(' '.join(text.split()), LONGEST))}`"
    text = visible(shortened(" ".join(rule.span.text.split()), LONGEST))
    return f"`{text}` ({visible(rule.span.source.path)}:{rule.span.line})"
