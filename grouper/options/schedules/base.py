"""The schedules: the factor of a group's lr after warm-up, a pure function of time.

`linear` and `cosine` are YOLOv5's own (`train.py` and `one_cycle` of YOLOv5 7.0), operation by
operation, so that they agree with it to the last bit.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from grouper.options.schedules import SCHEDULES, lacking
from grouper.options.values import Value

Factor = Callable[[float, float], float]


def factor(name: str, options: Mapping[str, Value]) -> Factor:
    """The factor `f(x, total)` of a schedule at time `x` of a run of `total`.

    Both are epochs, or steps under `every=step`. `f(0, total)` is 1, and from `total` on the
    schedules that have a `final` stay there. Raises ValueError where the options do not suffice.
    """
    fault = lacking(name, options)
    if fault:
        raise ValueError(fault)
    defaults = {key: default for key, (_, default) in SCHEDULES[name].items()}
    return _MAKERS[name]({**defaults, **options})


def _constant(_: Mapping[str, Any]) -> Factor:
    return lambda x, total: 1.0


def _linear(options: Mapping[str, Any]) -> Factor:
    final = options["final"]
    return lambda x, total: max(1 - x / total, 0) * (1.0 - final) + final


def _cosine(options: Mapping[str, Any]) -> Factor:
    final = options["final"]
    return lambda x, total: ((1 - math.cos(min(x, total) * math.pi / total)) / 2) * (final - 1) + 1


def _step(options: Mapping[str, Any]) -> Factor:
    """torch's StepLR, or MultiStepLR where there are milestones."""
    gamma, size, milestones = options["gamma"], options["size"], options["milestones"]
    if milestones is not None:
        return lambda x, total: _power(gamma, bisect_right(milestones, x))
    return lambda x, total: _power(gamma, x // size)


def _exponential(options: Mapping[str, Any]) -> Factor:
    gamma, final = options["gamma"], options["final"]
    if gamma is not None:
        return lambda x, total: _power(gamma, x)
    return lambda x, total: final ** (min(x, total) / total)


def _polynomial(options: Mapping[str, Any]) -> Factor:
    power, final = options["power"], options["final"]
    return lambda x, total: max(1.0 - x / total, 0.0) ** power * (1.0 - final) + final


def _wsd(options: Mapping[str, Any]) -> Factor:
    """Warm-up, stable, decay: 1 until the last share `decay` of the run, then linear to `final`."""
    decay, final = options["decay"], options["final"]

    def at(x: float, total: float) -> float:
        length, left = decay * total, max(total - x, 0)
        if left >= length:
            return 1.0 if left else float(final)
        return float(left / length * (1.0 - final) + final)

    return at


def _inverse_sqrt(options: Mapping[str, Any]) -> Factor:
    """As transformers' `get_inverse_sqrt_schedule` with `timescale=scale` has it."""
    scale = options["scale"]
    return lambda x, total: 1.0 / math.sqrt((x + scale) / scale)


def _power(base: float, exponent: float) -> float:
    """Python's own, but for what is beyond all numbers: that is infinite, and found so at once."""
    if isinstance(base, int) and base > 1 and exponent * (base.bit_length() - 1) > 1024:
        return math.inf
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Factor]] = MappingProxyType(
    {
        "constant": _constant,
        "linear": _linear,
        "cosine": _cosine,
        "step": _step,
        "exponential": _exponential,
        "polynomial": _polynomial,
        "wsd": _wsd,
        "inverse_sqrt": _inverse_sqrt,
    }
)
