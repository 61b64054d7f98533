"""`schedule polynomial`: the remaining fraction of the run, to a power."""

from __future__ import annotations

from grouper.options.kinds import NOT_NEGATIVE, POSITIVE
from grouper.options.schedules.schedule_type import ScheduleType, own


def polynomial(x: float, total: float, power: float = 1.0, final: float = 0.0) -> float:
    """`(1 - x / total) ** power`, scaled to end at `final`, like torch's PolynomialLR."""
    return float(max(1.0 - x / total, 0.0) ** power * (1.0 - final) + final)


POLYNOMIAL = ScheduleType(polynomial, own(power=(POSITIVE, 1.0), final=(NOT_NEGATIVE, 0.0)))
