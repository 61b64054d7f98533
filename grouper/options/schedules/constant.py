"""`schedule constant`: the lr stays where the warm-up left it."""

from __future__ import annotations

from grouper.options.schedules.schedule_type import ScheduleType


def constant(x: float, total: float) -> float:
    """Always 1."""
    return 1.0


CONSTANT = ScheduleType(constant, moves=False)
