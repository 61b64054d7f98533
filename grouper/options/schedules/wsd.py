"""`schedule wsd` (warm-up, stable, decay): 1, then a decay to `final` over the last part."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from grouper.options.kinds import DECAY_SHAPE, NOT_NEGATIVE, SHARE
from grouper.options.schedules.schedule_type import ScheduleType, own


def wsd(
    x: float,
    total: float,
    decay: float = 0.1,
    final: float = 0.0,
    shape: str = "linear",
    whole: float | None = None,
) -> float:
    """1, then a decay to `final` over the last fraction `decay` of the run, warm-up included.

    `shape` is the shape of the decay: `linear`, `cosine`, `sqrt` (1 minus the square root) or
    `exponential` (fairseq's tri-stage, MiniCPM).
    """
    length, left = min(decay * (total if whole is None else whole), total), max(total - x, 0)
    if left >= length:
        return 1.0 if left else float(final)
    if shape == "exponential":
        return float(final ** (1 - left / length))
    if shape == "cosine":
        height = (1 + math.cos((1 - left / length) * math.pi)) / 2
    elif shape == "sqrt":
        height = 1 - math.sqrt(1 - left / length)
    else:
        height = left / length
    return float(height * (1.0 - final) + final)


def _decay(total: float, whole: float, options: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    yield math.ceil(total - min(options["decay"] * whole, total)), "decay begins"


WSD = ScheduleType(
    wsd,
    own(decay=(SHARE, 0.1), final=(NOT_NEGATIVE, 0.0), shape=(DECAY_SHAPE, "linear")),
    key_times=_decay,
    of_whole_run=True,
)
