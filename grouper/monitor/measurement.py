"""Combines the numbers of a group's parameters into the group's measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grouper.monitor.record import Measurement


@dataclass(frozen=True, slots=True)
class Numbers:
    """One parameter at one step: sums of squares of its gradient, of its weights before the step
    and of their change; how many values its gradient has (0 without a gradient), how many of them
    are not 0, and how many are not finite."""

    gradient: float
    weights: float
    change: float
    values: int
    nonzero: int
    nonfinite: int


def measurement(numbers: Sequence[Numbers], options: Mapping[str, Any]) -> Measurement:
    """A group's measurement; `options` are those of the optimizer's group."""
    weights = math.sqrt(sum(n.weights for n in numbers))
    change = math.sqrt(sum(n.change for n in numbers))
    values = sum(n.values for n in numbers)
    return Measurement(
        lr=_float(options.get("lr")),
        momentum=_momentum(options),
        gradient_norm=math.sqrt(sum(n.gradient for n in numbers)) if values else None,
        weight_norm=weights,
        update_ratio=change / weights if weights else None,
        zero_gradients=1 - sum(n.nonzero for n in numbers) / values if values else None,
        nonfinite_gradients=sum(n.nonfinite for n in numbers) / values if values else None,
    )


def _momentum(options: Mapping[str, Any]) -> float | None:
    """`momentum`, or the first of `betas`, as the optimizer has it."""
    if "momentum" in options:
        return _float(options["momentum"])
    betas = options.get("betas")
    return _float(betas[0]) if isinstance(betas, tuple | list) and betas else None


def _float(value: Any) -> float | None:
    """The float of a number or of a tensor with one value; None stays None (Adafactor's lr)."""
    return None if value is None else float(value)
