"""The source of a schedule's factor: operation by operation that of grouper.options.schedules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from grouper.language.ruleset import Schedule
from grouper.options.schedules import SCHEDULES
from grouper.reports.python.layout import lines, listed, literal

Options = Mapping[str, Any]


def factor_source(schedule: Schedule, name: str) -> str:
    """A function `name(x, total)`: the factor of lr at time `x` of a run of `total`."""
    defaults = {key: default for key, (_, default) in SCHEDULES[schedule.name].items()}
    written = {key: literal(v) for key, v in {**defaults, **schedule.options}.items()}
    body = _BODIES[schedule.name](written)
    head = f"def {name}(x: int, total: int) -> float:"
    return "\n".join([head, *(f"    {line}" for line in body)])


def needs(schedule: Schedule) -> tuple[str, ...]:
    """Lines that a schedule's function imports by."""
    if schedule.name in ("cosine", "inverse_sqrt"):
        return ("import math",)
    if schedule.name == "step" and schedule.options.get("milestones") is not None:
        return ("from bisect import bisect_right",)
    return ()


def _constant(_: Options) -> list[str]:
    return ["return 1.0"]


def _linear(o: Options) -> list[str]:
    return [f"return max(1 - x / total, 0) * (1.0 - {o['final']}) + {o['final']}"]


def _cosine(o: Options) -> list[str]:
    final = o["final"]
    return [
        "angle = min(x, total) * math.pi / total",
        f"return ((1 - math.cos(angle)) / 2) * ({final} - 1) + 1",
    ]


def _step(o: Options) -> list[str]:
    if o["milestones"] != "None":
        turn = o["milestones"].strip("(,)").split(", ")
        listing = lines(listed("milestones = ", [number for number in turn if number]))
        return [*listing, f"return float({o['gamma']} ** bisect_right(milestones, x))"]
    return [f"return float({o['gamma']} ** (x // {o['size']}))"]


def _exponential(o: Options) -> list[str]:
    if o["gamma"] != "None":
        return [f"return float({o['gamma']}**x)"]
    return [f"return {o['final']} ** (min(x, total) / total)"]


def _polynomial(o: Options) -> list[str]:
    left = f"max(1.0 - x / total, 0.0) ** {o['power']}"
    return [f"return {left} * (1.0 - {o['final']}) + {o['final']}"]


def _wsd(o: Options) -> list[str]:
    return [
        f"length, left = {o['decay']} * total, max(total - x, 0)",
        "if left >= length:",
        f"    return 1.0 if left else {float(o['final'])!r}",
        f"return float(left / length * (1.0 - {o['final']}) + {o['final']})",
    ]


def _inverse_sqrt(o: Options) -> list[str]:
    return [f"return 1.0 / math.sqrt((x + {o['scale']}) / {o['scale']})"]


_BODIES: Mapping[str, Callable[[Options], list[str]]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "step": _step,
    "exponential": _exponential,
    "polynomial": _polynomial,
    "wsd": _wsd,
    "inverse_sqrt": _inverse_sqrt,
}
