"""The values of options: a number, a word, true, false, none, a schedule, or a tuple of these."""

from __future__ import annotations

from math import isclose
from typing import Any, TypeAlias, TypeGuard

from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Configured:
    """A schedule with options, the value of `schedule=`: `step(size=10, gamma=0.5)`."""

    name: str
    options: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value_text(value)}" for key, value in self.options)
        return f"{self.name}({inside})"


Value: TypeAlias = int | float | bool | str | tuple["Value", ...] | Configured | None


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number, which `true` is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def with_tuples(value: Any) -> Value:
    """A value of JSON or TOML, whose lists are tuples here."""
    return tuple(map(with_tuples, value)) if isinstance(value, list) else value


def same(left: Value, right: Value) -> bool:
    """Whether two values are equal: numbers by value, and `true` is not 1."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def value_key(value: Value) -> object:
    """A key that is equal for two values exactly if they are the `same`."""
    if isinstance(value, tuple):
        return tuple(map(value_key, value))
    return isinstance(value, bool), value


def quoted_value(value: Value) -> str:
    """A value as written in a rules file, in backticks."""
    return f"`{value_text(value)}`"


def value_text(value: Value) -> str:
    """A value as written in a rules file."""
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
    """A value for display: a number with many digits is rounded to three, `4.22e-05`."""
    if isinstance(value, tuple):
        items = ", ".join(map(rounded_text, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    if not isinstance(value, float):
        return value_text(value)
    few = float(f"{value:.5g}")
    return value_text(few) if isclose(few, value, rel_tol=1e-12) else f"{value:.3g}"
