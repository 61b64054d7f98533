"""Arithmetic on plain Python numbers, in the order written, with bounds on their size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

MAX_BITS = 1024  # of an integer: as far as a float reaches
FUNCTIONS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        "min": min,
        "max": max,
        "sqrt": math.sqrt,
        "log": math.log,
        "exp": math.exp,
        "abs": abs,
        "floor": math.floor,
        "ceil": math.ceil,
        "round": round,
        "sin": math.sin,
        "cos": math.cos,
    }
)
CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi})
COMPARISONS: Mapping[str, Callable[..., bool]] = MappingProxyType(
    {
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
)


def is_finite(value: int | float) -> bool:
    """Whether a number is finite and no larger than a float can be."""
    if isinstance(value, int):
        return value.bit_length() <= MAX_BITS
    return math.isfinite(value)


def apply_operator(operator: str, left: float, right: float) -> int | float:
    """`left operator right`. Raises ZeroDivisionError and OverflowError as Python does."""
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case "//":
            return left // right
        case "%":
            return left % right
        case _:
            return _power(left, right)


def _power(base: float, exponent: float) -> int | float:
    """`base ** exponent`: integers stay integers, and none is made that is beyond all bounds."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        if base.bit_length() * exponent > 2 * MAX_BITS:
            raise OverflowError
    elif isinstance(base, int) and isinstance(exponent, int) and exponent < 0:
        exponent = float(exponent)
    power = base**exponent
    if isinstance(power, complex):
        return math.nan
    return power  # type: ignore[no-any-return]
