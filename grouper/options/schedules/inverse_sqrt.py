"""`schedule inverse_sqrt`: decays with the inverse square root of time."""

from __future__ import annotations

import math

from grouper.options.kinds import POSITIVE
from grouper.options.schedules.schedule_type import ScheduleType, own


def inverse_sqrt(x: float, total: float, scale: float = 1.0) -> float:
    """transformers' `get_inverse_sqrt_schedule` with `timescale=scale`."""
    return 1.0 / math.sqrt((x + scale) / scale)


INVERSE_SQRT = ScheduleType(inverse_sqrt, own(scale=(POSITIVE, 1.0)), in_time=("scale",))
