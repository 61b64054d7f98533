"""What is frozen, and by what: the model, or rules with their locations."""

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

LONGEST = 50  # characters of a rule


def frozen_by(
    grouping: Grouping, assignment: Assignment | None
) -> dict[str, tuple[Parameter, ...]]:
    """The frozen parameters, by a text that says what froze them; without an assignment it is
    empty."""
    if not grouping.frozen:
        return {}
    if assignment is None:
        return {"": grouping.frozen}
    ids = {id(parameter) for parameter in grouping.frozen}
    names: dict[int, str] = {}  # by the `id` of the matches, which many parameters share
    by_freezer: dict[str, list[Parameter]] = {}
    for assigned in assignment.parameters:
        if id(assigned.parameter) in ids:
            key = id(assigned.matches)
            if assigned.parameter.trainable is False:
                freezer = "the model"
            elif key in names:
                freezer = names[key]
            else:
                freezer = names.setdefault(key, _freezers(assigned))
            by_freezer.setdefault(freezer, []).append(assigned.parameter)
    return {freezer: tuple(parameters) for freezer, parameters in by_freezer.items()}


def frozen_lines(
    grouping: Grouping, assignment: Assignment | None, output: Output
) -> Iterator[Line]:
    """How many tensors are frozen, by what, and their names."""
    for freezer, parameters in frozen_by(grouping, assignment).items():
        facts = facts_of(parameters)
        head = f"frozen by {freezer}: {facts}" if freezer else f"frozen: {facts}"
        yield from wrapped(styled((f"  {head}", "dim")), output.columns, 4)
        names = [parameter.name for parameter in parameters]
        for line in pattern_lines(names, output, output.columns - 6):
            yield styled((f"      {line}", "dim"))


def facts_of(parameters: tuple[Parameter, ...]) -> str:
    """A text such as `3 tensors, 765 parameters`."""
    size = size_phrase(sum(parameter.numel or 0 for parameter in parameters))
    return f"{count_phrase(parameters, 'tensor')}, {size}"


def _freezers(assigned: ParameterAssignment) -> str:
    rules = dict.fromkeys(_rule_text(m.rule) for m in assigned.matches if m.rule.freezes)
    return " and ".join(rules)


def _rule_text(rule: Rule) -> str:
    """A text such as `` `else -> freeze` (my.rules:3) ``."""
    if rule.span is None:  # created in Python
        text = rules_text(RuleSet((replace(rule, split=None),)))
        return f"`{visible(shortened(' '.join(text.split()), LONGEST))}`"
    text = visible(shortened(" ".join(rule.span.text.split()), LONGEST))
    return f"`{text}` ({visible(rule.span.source.path)}:{rule.span.line})"
