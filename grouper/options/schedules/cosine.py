"""`schedule cosine`: half a cosine from 1 to `final`, once or repeatedly."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from grouper.options.kinds import COUNT_FROM_1, NOT_NEGATIVE
from grouper.options.schedules.schedule_type import ScheduleType, own

MOST_RESTARTS = 6  # shown as rows of a table


def cosine(x: float, total: float, final: float = 0.0, cycles: int = 1) -> float:
    """`(1 + cos(pi x / total)) / 2`, scaled to end at `final`, like YOLOv5's `one_cycle`.

    Each of the `cycles` starts at 1, like transformers' cosine with hard restarts.
    """
    time = min(x, total) if cycles == 1 or x >= total else cycles * x % total
    return ((1 - math.cos(time * math.pi / total)) / 2) * (final - 1) + 1


def _restarts(
    total: float, whole: float, options: Mapping[str, Any]
) -> Iterator[tuple[float, str]]:
    for cycle in range(1, min(options["cycles"], MOST_RESTARTS + 1)):
        yield math.ceil(total * cycle / options["cycles"]), "restart"


COSINE = ScheduleType(
    cosine, own(final=(NOT_NEGATIVE, 0.0), cycles=(COUNT_FROM_1, 1)), key_times=_restarts
)
