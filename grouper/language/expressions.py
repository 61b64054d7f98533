"""The values of expressions: plain float arithmetic in the order written, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType

from grouper.language.syntax import tree
from grouper.model.inventory import Parameter
from grouper.options.values import Value, is_number, quoted_value
from grouper.text.source import Span

MAX_BITS = 1024  # of a whole number: as far as a float reaches
FUNCTIONS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        "min": min,
        "max": max,
        "sqrt": math.sqrt,
        "log": math.log,
        "exp": math.exp,
        "abs": abs,
    }
)
FACTS = ("ndim", "numel", "shape", "dtype", "fan_in", "fan_out")
_OPERATORS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class BadValue(Exception):
    """An expression has no value here; `span` is its faulty part."""

    def __init__(self, message: str, span: Span | None, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.span, self.help = message, span, help


class UnknownFact(BadValue):
    """A fact that the model's file does not tell."""


class Undefined(BadValue):
    """A fact that this parameter does not have, such as a third dimension."""


@dataclass(frozen=True)
class Scope:
    """What the words of an expression stand for.

    `greatest` holds, for `max(i)`, the largest number that each capture takes in a rule's
    matches.
    """

    variables: Mapping[str, Value] = field(default_factory=dict)
    captures: Mapping[str, int] = field(default_factory=dict)
    parameter: Parameter | None = None
    greatest: Mapping[str, int] = field(default_factory=dict)


def evaluate(expression: tree.Expression, scope: Scope) -> Value:
    """The value of an expression. Raises BadValue, with the faulty part's place."""
    match expression:
        case tree.Number(value=value) | tree.Constant(value=value) | tree.String(value=value):
            return value
        case tree.Word():
            return _word(expression, scope)
        case tree.Tuple(items=items):
            return tuple(evaluate(item, scope) for item in items)
        case tree.Unary(operator=operator, operand=operand):
            number = as_number(evaluate(operand, scope), operand)
            return -number if operator == "-" else number
        case tree.Binary():
            return _binary(expression, scope)
        case tree.Call():
            return _call(expression, scope)
        case tree.Subscript():
            return _subscript(expression, scope)
        case tree.Attribute(label=label, key=key):
            raise BadValue(
                f"`{label}.{key}` has a value only in `expect`",
                expression.span,
                "an option can use variables, captures and facts of the parameter",
            )


def number(expression: tree.Expression, scope: Scope) -> int | float:
    """The value of an expression that must be a finite number."""
    return as_number(evaluate(expression, scope), expression)


def compare(comparison: tree.Comparison, scope: Scope) -> bool | None:
    """Whether a comparison holds; None where the model's file does not tell the fact.

    What a parameter does not have (a third dimension, a fan) compares with nothing.
    """
    try:
        left = evaluate(comparison.left, scope)
    except UnknownFact:
        return None
    except Undefined:
        return False
    right = evaluate(comparison.right, scope)
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
            f"{quoted_value(wrong)} is not a number, so `{operator}` says nothing", place.span
        )
    return bool(_OPERATORS[operator](left, right))


def as_number(value: Value, place: tree.Node) -> int | float:
    """The value as it is if it is a finite number that a float can hold, else BadValue."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValue(f"a number is due, and {quoted_value(value)} is none", place.span)
    return _finite(value, place)


def _word(word: tree.Word, scope: Scope) -> Value:
    if word.name in scope.captures:
        return scope.captures[word.name]
    if word.name in scope.variables:
        return scope.variables[word.name]
    if word.name in FACTS and scope.parameter is not None:
        return _fact(word.name, scope.parameter, word.span)
    return word.name


def _fact(name: str, parameter: Parameter, span: Span | None) -> Value:
    if name == "dtype":
        if parameter.dtype is None:
            raise UnknownFact(f"the dtype of `{parameter.name}` is not known", span)
        return parameter.dtype
    shape = parameter.shape
    if shape is None:
        raise UnknownFact(f"the shape of `{parameter.name}` is not known", span)
    if name == "ndim":
        return len(shape)
    if name == "numel":
        return prod(shape)
    if name == "shape":
        return tuple(shape)
    return _fan(name, shape, parameter, span)


def _fan(name: str, shape: tuple[int, ...], parameter: Parameter, span: Span | None) -> int:
    """As torch.nn.init._calculate_fan_in_and_fan_out has it: inputs and outputs times the
    receptive field, for tensors of two dimensions or more."""
    if len(shape) < 2:
        raise Undefined(
            f"`{name}` is undefined for `{parameter.name}`, which has {len(shape)} dimension"
            + "s" * (len(shape) != 1),
            span,
            "select tensors of two dimensions or more: `ndim >= 2 and ...`",
        )
    return (shape[1] if name == "fan_in" else shape[0]) * prod(shape[2:])


def _subscript(expression: tree.Subscript, scope: Scope) -> Value:
    if expression.name != "shape" or scope.parameter is None:
        raise BadValue(
            f"`{expression.name}[...]` has no value: only a parameter's `shape` has parts",
            expression.span,
        )
    shape = _fact("shape", scope.parameter, expression.span)
    assert isinstance(shape, tuple)
    index = evaluate(expression.index, scope)
    if isinstance(index, bool) or not isinstance(index, int):
        raise BadValue(
            f"an index is a whole number, not {quoted_value(index)}", expression.index.span
        )
    if not -len(shape) <= index < len(shape):
        raise Undefined(
            f"`shape[{index}]` is undefined for `{scope.parameter.name}`, which has"
            f" {len(shape)} dimension" + "s" * (len(shape) != 1),
            expression.span,
            f"select tensors with more dimensions: `ndim > {abs(index)} and ...`",
        )
    return shape[index]


def _binary(expression: tree.Binary, scope: Scope) -> int | float:
    left = number(expression.left, scope)
    right = number(expression.right, scope)
    try:
        return _finite(_arithmetic(expression.operator, left, right), expression)
    except ZeroDivisionError:
        raise BadValue("this divides by zero", expression.span) from None
    except OverflowError:
        raise BadValue("this is too large to be a number", expression.span) from None


def _arithmetic(operator: str, left: float, right: float) -> int | float:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        if left.bit_length() * right > 2 * MAX_BITS:
            raise OverflowError
    elif isinstance(left, int) and isinstance(right, int) and right < 0:
        right = float(right)
    power = left**right
    if isinstance(power, complex):
        return math.nan
    return power  # type: ignore[no-any-return]


def _call(expression: tree.Call, scope: Scope) -> int | float:
    name, arguments = expression.function, expression.arguments
    function = FUNCTIONS.get(name)
    if function is None:
        raise BadValue(f"there is no function `{name}`", expression.span)
    if name == "max" and len(arguments) == 1 and isinstance(arguments[0], tree.Word):
        capture = arguments[0].name
        if capture in scope.greatest:
            return scope.greatest[capture]
    fewest = 2 if name in ("min", "max") else 1
    if len(arguments) < fewest or (fewest == 1 and len(arguments) > 1):
        due = "at least two values, or `max` one capture" if fewest == 2 else "one value"
        raise BadValue(f"`{name}` takes {due}", expression.span)
    numbers = [number(argument, scope) for argument in arguments]
    try:
        return _finite(function(*numbers), expression)
    except (ValueError, OverflowError):
        raise BadValue(
            f"`{name}` has no value at {quoted_value(numbers[0])}", expression.span
        ) from None


def _finite(value: int | float, place: tree.Node) -> int | float:
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValue("this is not a finite number", place.span)
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise BadValue("this is too large to be a number", place.span)
    return value
