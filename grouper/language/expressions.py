"""The values of expressions: plain float arithmetic in the order written, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, assert_never

from grouper.language.arithmetic import (
    COMPARISONS,
    CONSTANTS,
    FUNCTIONS,
    apply_operator,
    is_finite,
)
from grouper.language.facts import FACTS, fact, size
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue, Undefined, UnknownFact
from grouper.model.inventory import Parameter
from grouper.options.values import Value, is_number, quoted_value
from grouper.text.dataclass import dataclass, field

OF_CAPTURES = ("rank", "count", "min", "max")
OF_LABELS = ("count", "numel")
BASE_MODEL = "base_model"


class CaptureNumbers(Protocol):
    """The numbers that captures take over the whole model."""

    def knows(self, names: tuple[str, ...]) -> bool: ...

    def value(self, function: str, names: tuple[str, ...], captures: Mapping[str, int]) -> int: ...


class LabelTotals(Protocol):
    """The number of tensors, and of parameters in them, that are trained under a label."""

    def value(self, function: str, label: str) -> int: ...


@dataclass(frozen=True)
class Scope:
    """What the words of an expression stand for.

    `numbers` answers `rank`, `count`, `min` and `max` of captures, `totals` answers `count` and
    `numel` of labels. `base` has the parameters of the base model, by every name.
    """

    variables: Mapping[str, Value] = field(default_factory=dict)
    captures: Mapping[str, int] = field(default_factory=dict)
    parameter: Parameter | None = None
    numbers: CaptureNumbers | None = None
    totals: LabelTotals | None = None
    base: Mapping[str, Parameter] | None = None


def evaluate(expression: tree.Expression, scope: Scope) -> Value:
    """The value of an expression. Raises BadValue, with the faulty part's place."""
    match expression:
        case tree.Number(value=value):
            return _finite(value, expression)
        case tree.Constant(value=value) | tree.String(value=value):
            return value
        case tree.Word():
            return _word(expression, scope)
        case tree.Tuple(items=items):
            return tuple(evaluate(item, scope) for item in items)
        case tree.Unary(operator=operator, operand=operand):
            value = number(operand, scope)
            return -value if operator == "-" else value
        case tree.Binary():
            return _binary(expression, scope)
        case tree.Call():
            return _call(expression, scope)
        case tree.Subscript():
            return _subscript(expression, scope)
        case tree.Attribute():
            return _attribute(expression, scope)
        case tree.Configured(name=name):
            raise BadValue(
                f"`{name}(...)` is the value of `schedule=` alone",
                expression.span,
                f"write `schedule={name}(...)` in a rule or in the `optimizer` statement",
            )
    assert_never(expression)


def number(expression: tree.Expression, scope: Scope) -> int | float:
    """The value of an expression that must be a finite number."""
    return as_number(evaluate(expression, scope), expression)


def compare(comparison: tree.Comparison, scope: Scope) -> bool | None:
    """Whether a comparison holds; None where the model's file does not record the fact.

    A comparison with something that the parameter does not have (a third dimension, a fan) is
    false.
    """
    try:
        left = evaluate(comparison.left, scope)
        right = evaluate(comparison.right, scope)
    except UnknownFact:
        return None
    except Undefined:
        return False
    if isinstance(left, str) and isinstance(right, str):
        right = right.removeprefix("torch.")
    return holds(left, comparison.operator, right, comparison)


def holds(left: Value, operator: str, right: Value, place: tree.Node) -> bool:
    """Compare two values; numbers with numbers, anything with `==` and `!=`."""
    if operator in ("==", "!="):
        if is_number(left) != is_number(right) and not (left is None or right is None):
            raise BadValue(
                f"{quoted_value(left)} and {quoted_value(right)} can never be equal",
                place.span,
                "compare numbers with numbers and words with words",
            )
    elif not (is_number(left) and is_number(right)):
        wrong = right if is_number(left) else left
        raise BadValue(
            f"cannot compare {quoted_value(wrong)} with `{operator}`: it is not a number",
            place.span,
        )
    return bool(COMPARISONS[operator](left, right))


def as_number(value: Value, place: tree.Node) -> int | float:
    """The value as it is if it is a finite number that a float can hold, else BadValue."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue(f"expected a number, got {quoted_value(value)}", place.span)
    return _finite(value, place)


def _word(word: tree.Word, scope: Scope) -> Value:
    if word.name in scope.captures:
        return scope.captures[word.name]
    if word.name in scope.variables:
        return scope.variables[word.name]
    if word.name in FACTS and scope.parameter is not None:
        return fact(word.name, scope.parameter, word.span)
    return CONSTANTS.get(word.name, word.name)


def _subscript(expression: tree.Subscript, scope: Scope) -> Value:
    of = expression.of
    index = evaluate(expression.index, scope)
    if isinstance(index, bool) or not isinstance(index, int):
        raise BadValue(f"an index is an integer, not {quoted_value(index)}", expression.index.span)
    if isinstance(of, tree.Attribute):
        return size(_base_parameter(of, scope), index, expression.span)
    table = scope.variables.get(of.name)
    if table is None and of.name == "shape" and scope.parameter is not None:
        return size(scope.parameter, index, expression.span)
    if not isinstance(table, tuple):
        raise BadValue(
            f"`{of.name}[...]` has no value: only tuples and a parameter's `shape` have parts",
            expression.span,
        )
    if not -len(table) <= index < len(table):
        raise BadValue(
            f"`{of.name}[{index}]` does not exist: the table has {len(table)} values",
            expression.span,
            f"its indexes are 0 to {len(table) - 1}" if table else "give the table values",
        )
    return table[index]


def _attribute(expression: tree.Attribute, scope: Scope) -> Value:
    if expression.label == BASE_MODEL and expression.key in FACTS:
        return fact(expression.key, _base_parameter(expression, scope), expression.span)
    if expression.label == BASE_MODEL:
        facts = ", ".join(f"`{name}`" for name in FACTS)
        raise BadValue(
            f"the base model has no fact `{expression.key}`",
            expression.span,
            f"its facts are {facts}",
        )
    raise BadValue(
        f"`{expression.label}.{expression.key}` has a value only in `expect`",
        expression.span,
        "an option can use variables, captures and facts of the parameter",
    )


def _base_parameter(expression: tree.Attribute, scope: Scope) -> Parameter:
    """The parameter of the same name in the base model, tied ones by any of their names."""
    if scope.base is None or scope.parameter is None:
        raise BadValue(
            "there is no base model to take this from",
            expression.span,
            'name it in the file: `base_model "small.json"`',
        )
    for name in scope.parameter.names:
        if name in scope.base:
            return scope.base[name]
    raise BadValue(
        f"the base model has no parameter `{scope.parameter.name}`",
        expression.span,
        "select the parameters that both models have, or use another base model",
    )


def _binary(expression: tree.Binary, scope: Scope) -> int | float:
    left = number(expression.left, scope)
    right = number(expression.right, scope)
    try:
        return _finite(apply_operator(expression.operator, left, right), expression)
    except ZeroDivisionError:
        raise BadValue("this divides by zero", expression.span) from None
    except OverflowError:
        raise BadValue("this is too large to be a number", expression.span) from None


def _call(expression: tree.Call, scope: Scope) -> int | float:
    name, arguments = expression.function, expression.arguments
    names = captured_names(expression)
    if scope.numbers is not None and names and scope.numbers.knows(names):
        return scope.numbers.value(name, names, scope.captures)
    if scope.totals is not None and (label := label_of(expression)) is not None:
        return scope.totals.value(name, label)
    function = FUNCTIONS.get(name)
    if function is None:
        raise BadValue(f"there is no function `{name}`", expression.span)
    fewest = 2 if name in ("min", "max") else 1
    if len(arguments) < fewest or (fewest == 1 and len(arguments) > 1):
        expected = "at least two values, or one capture" if fewest == 2 else "one value"
        raise BadValue(f"`{name}` takes {expected}", expression.span)
    numbers = [number(argument, scope) for argument in arguments]
    try:
        return _finite(function(*numbers), expression)
    except (ValueError, OverflowError):
        raise BadValue(
            f"`{name}` has no value at {quoted_value(numbers[0])}", expression.span
        ) from None


def captured_names(call: tree.Call) -> tuple[str, ...]:
    """The captures that a call of `rank`, `count`, `min` or `max` may speak of; else none.

    `max(i, j)` is arithmetic, as `max(i, 3)` is: only `rank` and `count` take several captures.
    """
    words = tuple(a.name for a in call.arguments if isinstance(a, tree.Word))
    if call.function not in OF_CAPTURES or len(words) != len(call.arguments):
        return ()
    return words if len(words) == 1 or call.function in ("rank", "count") else ()


def label_of(call: tree.Call) -> str | None:
    """The label that a call of `count` or `numel` speaks of; None for every other call."""
    if call.function not in OF_LABELS or len(call.arguments) != 1:
        return None
    match call.arguments[0]:
        case tree.Word(name=name) | tree.String(value=name):
            return name
        case _:
            return None


def _finite(value: int | float, place: tree.Node) -> int | float:
    if not is_finite(value):
        what = "too large to be a number" if isinstance(value, int) else "not a finite number"
        raise BadValue(f"this is {what}", place.span)
    return value
