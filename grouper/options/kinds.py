"""Which options the plan's statements have, and what they must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from grouper.language.ruleset import Value

Test = Callable[[Value], bool]


def _real(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _at_least_zero(value: Value) -> bool:
    return _real(value) and value >= 0  # type: ignore[operator]


def _positive(value: Value) -> bool:
    return _real(value) and value > 0  # type: ignore[operator]


def _share(value: Value) -> bool:
    return _real(value) and 0 <= value <= 1  # type: ignore[operator]


def _count(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _counts(value: Value) -> bool:
    return isinstance(value, tuple) and all(map(_count, value)) and list(value) == sorted(value)  # type: ignore[type-var]


def _clock(value: Value) -> bool:
    return value in ("epoch", "step")


# What a value must be, in words, and the test of it.
NUMBER = ("a number", _real)
NOT_NEGATIVE = ("a number that is not negative", _at_least_zero)
POSITIVE = ("a positive number", _positive)
SHARE = ("a number from 0 to 1", _share)
COUNT = ("a whole number that is not negative", _count)
COUNTS = ("whole numbers in rising order, such as `(30, 60)`", _counts)
CLOCK = ("`epoch` or `step`", _clock)

Kind = tuple[str, Test]
Options = Mapping[str, tuple[Kind, Value]]

_EVERY: dict[str, tuple[Kind, Value]] = {"every": (CLOCK, "epoch"), "lag": (COUNT, 0)}
_FINAL: dict[str, tuple[Kind, Value]] = {"final": (NOT_NEGATIVE, 0.0), **_EVERY}

# Name -> option -> (what it must be, its value where it is left out; None: nothing).
SCHEDULES: Mapping[str, Options] = MappingProxyType(
    {
        "constant": _EVERY,
        "linear": _FINAL,
        "cosine": _FINAL,
        "step": {
            "size": (POSITIVE, None),
            "milestones": (COUNTS, None),
            "gamma": (NOT_NEGATIVE, 0.1),
            **_EVERY,
        },
        "exponential": {"gamma": (POSITIVE, None), "final": (POSITIVE, None), **_EVERY},
        "polynomial": {"power": (POSITIVE, 1.0), **_FINAL},
        "wsd": {"decay": (SHARE, 0.1), **_FINAL},
        "inverse_sqrt": {"scale": (POSITIVE, 1.0), **_EVERY},
    }
)
# Of two options that say the same in two ways, a schedule needs exactly one.
EITHER: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"step": ("size", "milestones"), "exponential": ("gamma", "final")}
)
WARMUP: Options = MappingProxyType(
    {
        "epochs": (NOT_NEGATIVE, None),
        "steps": (COUNT, None),
        "min_steps": (COUNT, 0),
        "start": (NOT_NEGATIVE, 0.0),
        "momentum": (SHARE, None),
    }
)
PLAN: Mapping[str, Kind] = MappingProxyType(
    {
        "warmup_start": NOT_NEGATIVE,
        "warmup_epochs": NOT_NEGATIVE,
        "warmup_steps": COUNT,
        "warmup_momentum": SHARE,
        "schedule": (
            f"a schedule ({', '.join(f'`{name}`' for name in SCHEDULES)})",
            lambda value: value in SCHEDULES,
        ),
        "final": NOT_NEGATIVE,
    }
)


def lacking(name: str, options: Mapping[str, Value]) -> str | None:
    """What a schedule's options lack or have too much of, in words; None where they suffice."""
    if name not in EITHER:
        return None
    first, second = EITHER[name]
    has = [options.get(option) is not None for option in (first, second)]
    if has[0] != has[1]:
        return None
    both = ", not both" if all(has) else ""
    return f"`schedule {name}` needs `{first}` or `{second}`{both}"
