"""The options of rules, from the values of a configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from grouper.generate.convert.errors import ConvertError
from grouper.generate.convert.section import Opaque
from grouper.language.ruleset import literal
from grouper.language.syntax import tree
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.values import Value

_MEANT_OTHERWISE = ("freeze", *PLAN_KEYS)
FREEZE = (tree.Option("freeze", "flag", tree.Constant(True)),)


def sets(values: Mapping[str, Any], place: str = "") -> tuple[tree.Option, ...]:
    """`key=value` for each value. Raises ConvertError for what no option can hold."""
    return tuple(
        tree.Option(_key(key, place), "=", expression(value, f"{place}.{key}" if place else key))
        for key, value in values.items()
    )


def _key(key: object, place: str) -> str:
    """A key as an option has it. Raises ConvertError for one that no option of theirs can have."""
    whole = f"{place}.{key}" if place else str(key)
    if not isinstance(key, str) or not key.isidentifier():
        raise ConvertError(f"`{whole}` cannot be an option of rules: options are plain words")
    if key in _MEANT_OTHERWISE:
        raise ConvertError(f"`{whole}` means something else in rules: leave it out, or rename it")
    return key


def times(**factors: Any) -> tuple[tree.Option, ...]:
    """`key*=factor` for each factor that is given and is not 1."""
    return tuple(
        tree.Option(key, "*=", expression(factor, key))
        for key, factor in factors.items()
        if factor is not None and factor != 1
    )


def expression(value: Any, place: str) -> tree.Expression:
    """A value as an expression; expressions stay as they are."""
    if isinstance(value, tree.Node):
        return value  # type: ignore[return-value]
    return literal(option_value(value, place))


def option_value(value: Any, place: str) -> Value:
    """A number, a word, a list of these, true, false or none. Raises ConvertError otherwise."""
    if isinstance(value, Opaque):
        raise ConvertError(f"`{place}` {value.why}")
    if isinstance(value, list | tuple):
        return tuple(option_value(item, place) for item in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConvertError(f"`{place}` is {value}, and rules have finite numbers only")
    if isinstance(value, str) and not value.isprintable():
        raise ConvertError(f"`{place}` holds characters that rules cannot")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ConvertError(f"`{place}` is `{value}`, which no option can hold; write a literal there")
