"""The schedules, and which options each of them has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from grouper.options.kinds import (
    CLOCK,
    COUNT,
    COUNTS,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Constraint,
    Options,
)
from grouper.options.values import Value

_EVERY: dict[str, tuple[Constraint, Value]] = {"every": (CLOCK, "epoch"), "lag": (COUNT, 0)}
_FINAL: dict[str, tuple[Constraint, Value]] = {"final": (NOT_NEGATIVE, 0.0), **_EVERY}

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
EXACTLY_ONE_OF: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"step": ("size", "milestones"), "exponential": ("gamma", "final")}
)


def lacking(name: str, options: Mapping[str, Value]) -> str | None:
    """What a schedule's options lack or have too much of, in words; None where they suffice."""
    if name not in EXACTLY_ONE_OF:
        return None
    first, second = EXACTLY_ONE_OF[name]
    has = [options.get(option) is not None for option in (first, second)]
    if has[0] != has[1]:
        return None
    both = ", not both" if all(has) else ""
    return f"`schedule {name}` needs `{first}` or `{second}`{both}"
