"""The table of all schedules, each defined in its own file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from grouper.options.schedules.constant import CONSTANT
from grouper.options.schedules.cosine import COSINE
from grouper.options.schedules.exponential import EXPONENTIAL
from grouper.options.schedules.inverse_sqrt import INVERSE_SQRT
from grouper.options.schedules.linear import LINEAR
from grouper.options.schedules.polynomial import POLYNOMIAL
from grouper.options.schedules.schedule_type import ScheduleType
from grouper.options.schedules.step import STEP
from grouper.options.schedules.wsd import WSD

SCHEDULES: Mapping[str, ScheduleType] = MappingProxyType(
    {
        schedule.name: schedule
        for schedule in (
            CONSTANT,
            LINEAR,
            COSINE,
            STEP,
            EXPONENTIAL,
            POLYNOMIAL,
            WSD,
            INVERSE_SQRT,
        )
    }
)
