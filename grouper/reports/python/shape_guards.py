"""Finds the properties of tensors that rules depend on, which emitted code checks again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree

OF_SHAPES = {"shape", "numel", "fan_in", "fan_out"}


def shape_fact(rules: RuleSet) -> str | None:
    """`shape` or `ndim` if a selector or an option depends on it, otherwise None."""
    words = {
        word
        for rule in rules.rules
        for word in _words((rule.selector, rule.condition, rule.options))
    }
    if words & OF_SHAPES:
        return "shape"
    return "ndim" if "ndim" in words else None


def _words(value: object) -> Iterator[str]:
    if isinstance(value, tree.Word):
        yield value.name
    if isinstance(value, tuple):
        for item in value:
            yield from _words(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _words(getattr(value, field.name))
