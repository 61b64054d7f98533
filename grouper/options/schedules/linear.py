"""`schedule linear`: a straight line from 1 to `final`."""

from __future__ import annotations

from grouper.options.kinds import NOT_NEGATIVE
from grouper.options.schedules.schedule_type import ScheduleType, own


def linear(x: float, total: float, final: float = 0.0) -> float:
    """`1 - x / total`, scaled to end at `final`: bit-identical to YOLOv5's."""
    return max(1 - x / total, 0) * (1.0 - final) + final


LINEAR = ScheduleType(linear, own(final=(NOT_NEGATIVE, 0.0)))
