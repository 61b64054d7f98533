"""Constraints on the values of options: a description and a test for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grouper.options.values import Value, is_number

Test = Callable[[Value], bool]


def _at_least_zero(value: Value) -> bool:
    return is_number(value) and value >= 0


def _positive(value: Value) -> bool:
    return is_number(value) and value > 0


def _share(value: Value) -> bool:
    return is_number(value) and 0 <= value <= 1


def _count(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _counts(value: Value) -> bool:
    return isinstance(value, tuple) and all(map(_count, value)) and list(value) == sorted(value)  # type: ignore[type-var]


def _clock(value: Value) -> bool:
    return value in ("epoch", "step")


def _count_from_1(value: Value) -> bool:
    return _count(value) and value != 0


def _after(value: Value) -> bool:
    return value == "warmup"


def _decay_shape(value: Value) -> bool:
    return value in ("linear", "cosine", "sqrt", "exponential")


def _warmup_shape(value: Value) -> bool:
    return value in ("linear", "cosine", "constant")


# The description of a constraint, and its test.
NUMBER = ("a number", is_number)
NOT_NEGATIVE = ("a non-negative number", _at_least_zero)
POSITIVE = ("a positive number", _positive)
SHARE = ("a number from 0 to 1", _share)
COUNT = ("a non-negative integer", _count)
COUNTS = ("increasing integers, such as `(30, 60)`", _counts)
COUNT_FROM_1 = ("a positive integer", _count_from_1)
CLOCK = ("`epoch` or `step`", _clock)
AFTER = ("`warmup`", _after)
DECAY_SHAPE = ("`linear`, `cosine`, `sqrt` or `exponential`", _decay_shape)
WARMUP_SHAPE = ("`linear`, `cosine` or `constant`", _warmup_shape)

Constraint = tuple[str, Test]
Options = Mapping[str, tuple[Constraint, Value]]
