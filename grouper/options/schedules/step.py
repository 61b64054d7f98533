"""`schedule step`: a factor `gamma` every `size` epochs or steps, or at each milestone."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from grouper.options.kinds import COUNTS, NOT_NEGATIVE, POSITIVE
from grouper.options.schedules.schedule_type import ScheduleType, own

MOST_MILESTONES = 6  # shown as rows of a table


def step(
    x: float,
    total: float,
    size: float | None = None,
    milestones: tuple[int, ...] | None = None,
    gamma: float = 0.1,
) -> float:
    """torch's StepLR, or MultiStepLR with milestones."""
    drops = bisect_right(milestones, x) if milestones is not None else x // (size or 1)
    try:
        return float(float(gamma) ** drops)
    except OverflowError:
        return math.inf


def _milestones(
    total: float, whole: float, options: Mapping[str, Any]
) -> Iterator[tuple[float, str]]:
    """The first milestones, and the last."""
    if options["milestones"] is not None:
        times = [time for time in options["milestones"] if 0 < time < total]
    else:
        drops = range(1, math.ceil(min(total / options["size"], MOST_MILESTONES)) + 1)
        times = [time for drop in drops if (time := math.ceil(drop * options["size"])) < total]
    few = times if len(times) <= MOST_MILESTONES else [*times[: MOST_MILESTONES - 1], times[-1]]
    for time in few:
        yield time, "milestone"


STEP = ScheduleType(
    step,
    own(size=(POSITIVE, None), milestones=(COUNTS, None), gamma=(NOT_NEGATIVE, 0.1)),
    exactly_one=("size", "milestones"),
    in_time=("size", "milestones"),
    key_times=_milestones,
)
