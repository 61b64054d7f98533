"""OmegaConf's interpolations: `${scratch.lr}`, and the arithmetic that SAM 2 registers for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod
from typing import Any

_INNERMOST = re.compile(r"\$\{([^${}]*)\}")
_MOST = 50  # rounds: a circle never ends
_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "times": lambda *numbers: prod(numbers),
    "divide": lambda a, b: a / b,
    "add": lambda *numbers: sum(numbers),
    "subtract": lambda a, b: a - b,
    "pow": lambda a, b: a**b,
    "int": int,
}


def interpolated(data: Any) -> Any:
    """The data with the values of all interpolations that can be determined."""
    return _replaced(data, data)


def _replaced(value: Any, root: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(inner, root) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_replaced(inner, root) for inner in value)
    if isinstance(value, str) and "${" in value:
        return _text(value, root)
    return value


def _text(text: str, root: Any) -> Any:
    for _ in range(_MOST):
        found = _INNERMOST.search(text)
        if found is None:
            return text
        value = _value(found[1], root)
        if value is None or isinstance(value, dict | list | tuple):
            return value if found[0] == text and value is not None else text
        if found[0] == text:
            if not isinstance(value, str) or "${" not in value:
                return value
            text = value
        else:
            text = text[: found.start()] + str(value) + text[found.end() :]
    return text


def _value(inside: str, root: Any) -> Any:
    """What stands between the braces; None where it cannot be determined."""
    name, colon, arguments = inside.partition(":")
    if colon:
        try:
            numbers = [_number(part) for part in arguments.split(",")]
            return _ARITHMETIC[name.strip()](*numbers)
        except (KeyError, ValueError, TypeError, ArithmeticError):
            return None
    value = root
    for part in inside.strip().split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
