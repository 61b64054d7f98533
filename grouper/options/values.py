"""The value of an option: a number, a word, true, false, none, a schedule, or several of these."""

from __future__ import annotations

from math import isclose
from typing import TypeAlias

from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Configured:
    """`step(size=10, gamma=0.5)`: a schedule with its own options, the value of `schedule=`."""

    name: str
    options: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value_text(value)}" for key, value in self.options)
        return f"{self.name}({inside})"


Value: TypeAlias = int | float | bool | str | tuple["Value", ...] | Configured | None


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left: Value, right: Value) -> bool:
    """Whether two values are one: numbers by value, `true` is not 1."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def value_key(value: Value) -> object:
    """A key that is equal for two values where they are the `same`."""
    if isinstance(value, tuple):
        return tuple(map(value_key, value))
    return isinstance(value, bool), value


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
        plain = value.is_integer() and abs(value) < 1e16  # neither infinite nor NaN
        return f"{value:.1f}" if plain else repr(value)
    return str(value)


def rounded_text(value: Value) -> str:
    """A value for reading: a number of many digits has three of them, `4.22e-05`."""
    if isinstance(value, tuple):
        items = ", ".join(map(rounded_text, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if not isinstance(value, float):
        return value_text(value)
    few = float(f"{value:.5g}")
    return value_text(few) if isclose(few, value, rel_tol=1e-12) else f"{value:.3g}"
