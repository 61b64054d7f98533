"""Explains why a selector without misspelt names matches nothing.

Facts, operands of `and` and conditions are not names that could be misspelt, so the explanation is
what the model has instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.module_kinds import last_part
from grouper.language.expressions import Scope, evaluate
from grouper.language.resolve.walk import calls, comparisons, words
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import selector_text
from grouper.language.value_errors import BadValue
from grouper.match.capture_numbers import capture_numbers
from grouper.match.compile_rule import selects
from grouper.options.values import Value, value_text
from grouper.text.findings import Edit, Fix
from grouper.text.printable import count_phrase, quoted_list

MOST_VALUES = 4  # listed for a fact; of more, only the first and the last are shown


def why_condition_fails(context: Context, rule: Rule) -> str:
    """The values of the sides of the comparisons after `where` in this model."""
    numbers, _ = capture_numbers(context.rules, context.inventory)
    test = selects(rule, context.rules, context.inventory)
    scopes = [
        Scope(context.rules.variables, answer.captures, p, numbers[rule.split], base=context.base)
        for p in context.inventory.parameters
        if (answer := test(p)).truth
    ]
    return ", ".join(_values(scopes, rule.condition))


def why_fact_fails(context: Context, selector: tree.Selector) -> str:
    """What the model has instead of a fact; empty for other selectors."""
    match selector:
        case tree.Comparison():
            variables = context.rules.variables
            scopes = [Scope(variables, parameter=p) for p in context.inventory.parameters]
            return ", ".join(_values(scopes, selector))
        case tree.Flag(name="tied"):
            return "no parameter of this model is shared by several modules"
        case tree.Flag():
            return "the model has frozen all of its parameters"
        case tree.Not(operand=operand):
            text = operand.span.text if operand.span is not None else selector_text(operand)
            return f"`{text}` matches every parameter of this model"
        case tree.Has(name=name):
            return f"no module or parameter of this model is marked `{name}`"
        case _:
            return ""


def _values(scopes: list[Scope], condition: tree.Selector | None) -> Iterator[str]:
    """``"`i` is 0 to 11 here"`` for each side of a comparison that is not a constant."""
    sides = [side for c in comparisons(condition) for side in (c.left, c.right)]
    for side in {side.span.text: side for side in sides if side.span is not None}.values():
        varies = any(True for _ in words(side)) or any(True for _ in calls(side))
        values: set[Value] = {_value(side, scope) for scope in scopes} - {None}
        text = side.span.text if side.span is not None else ""
        if varies and values and {str(value) for value in values} != {text}:
            yield f"`{text}` is {_extent(values)} here"


def _value(side: tree.Expression, scope: Scope) -> Value:
    try:
        return evaluate(side, scope)
    except BadValue:
        return None


def _extent(values: set[Value]) -> str:
    numbers = sorted(value for value in values if isinstance(value, int | float))
    if len(numbers) > MOST_VALUES:
        return f"{value_text(numbers[0])} to {value_text(numbers[-1])}"
    return " or ".join(
        [*map(value_text, numbers), *sorted(v for v in values if isinstance(v, str))]
    )


def last_number(rule: Rule) -> tuple[Fix, ...]:
    """`max(i)` instead of `count(i)`: the last of layers 0, 1, ... is number `count(i) - 1`."""
    sides = [side for c in comparisons(rule.condition) for side in (c.left, c.right)]
    return tuple(
        (Edit(call.span, f"max({call.arguments[0].name})"),)
        for side in sides
        for call in calls(side)
        if call.function == "count"
        and call.span is not None
        and len(call.arguments) == 1
        and isinstance(call.arguments[0], tree.Word)
    )


def what_excludes(context: Context, selector: tree.And) -> str:
    """The number of parameters that each operand of an `and` matches."""
    counts = []
    for operand in selector.operands:
        text = operand.span.text if operand.span is not None else selector_text(operand)
        counts.append(f"`{text}` matches {count_phrase(context.selected(operand))}")
    return f"{', '.join(counts)}, but no parameter matches all of them; use `or` to match any"


def present_classes(context: Context) -> str:
    """The classes that own parameters, the most frequent ones first."""
    counts: dict[str, int] = {}
    for parameter in context.inventory.parameters:
        name = context.kinds.class_name(parameter)
        if name:
            counts[name] = counts.get(name, 0) + 1
    ranked = sorted(counts, key=lambda name: -counts[name])
    return f"parameters are owned by {quoted_list(f'@{name}' for name in ranked[:5])}" * bool(
        ranked
    )


def top_classes(context: Context) -> str:
    """The classes of the outer modules, for `in @Class`."""
    modules = context.inventory.modules or {}
    paths = [path for path in modules if path.count(".") < 2]
    names = dict.fromkeys(last_part(modules[p].cls) for p in paths if modules[p].cls)
    classes = [n for n in names if n not in ("ModuleList", "Sequential", "ModuleDict")]
    return f"modules of this model are {quoted_list(f'@{name}' for name in classes[:5])}" * bool(
        classes
    )
