"""The value of an option: a number, a word, true, false, none, or several of these."""

from __future__ import annotations

from typing import TypeAlias

Value: TypeAlias = int | float | bool | str | tuple["Value", ...] | None


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left: Value, right: Value) -> bool:
    """Whether two values are one: numbers by value, `true` is not 1."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def quoted_value(value: Value) -> str:
    """A value as a rules file would have it, in backticks."""
    return f"`{value_text(value)}`"


def value_text(value: Value) -> str:
    """A value as a rules file would have it."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        items = ", ".join(value_text(item) for item in value)
        return f"({items},)" if len(value) == 1 else f"({items})"
    if isinstance(value, float):
        return repr(value) if value != int(value) or abs(value) >= 1e16 else f"{value:.1f}"
    return str(value)
