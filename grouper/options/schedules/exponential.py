"""`schedule exponential`: a factor `gamma` per epoch or step, or a decay from 1 to `final`."""

from __future__ import annotations

import math

from grouper.options.kinds import POSITIVE
from grouper.options.schedules.schedule_type import ScheduleType, own


def exponential(
    x: float, total: float, gamma: float | None = None, final: float | None = None
) -> float:
    """`gamma ** x` as in torch's ExponentialLR, or `final ** (x / total)`."""
    try:
        if gamma is not None:
            return float(float(gamma) ** x)
        return float((final or 1.0) ** (min(x, total) / total))
    except OverflowError:
        return math.inf


EXPONENTIAL = ScheduleType(
    exponential,
    own(gamma=(POSITIVE, None), final=(POSITIVE, None)),
    exactly_one=("gamma", "final"),
    in_time=("gamma",),
)
