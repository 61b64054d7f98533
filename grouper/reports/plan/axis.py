"""The axes of a drawing: they map a step or a value to a place from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grouper.text.dataclass import dataclass
from grouper.train.plan import Plan

WARMUP_SHARE = 0.3  # of the width, if the warm-up would otherwise be too narrow to see
FAR = 5  # times the lowest lr: on a linear axis, the lower curves would be at its edge


@dataclass(frozen=True)
class Steps:
    """Steps from left to right. Those before `warmup_end` are drawn wider, unless it is 0."""

    total: int
    warmup_end: int = 0

    @property
    def last(self) -> int:
        return self.total - 1

    def sampled(self, columns: int) -> list[int]:
        """One step for each column."""
        return [self.step(column / max(columns - 1, 1)) for column in range(columns)]

    def step(self, place: float) -> int:
        """The step at a place from 0 to 1."""
        if not self.warmup_end:
            return round(place * self.last)
        if place <= WARMUP_SHARE:
            return round(place / WARMUP_SHARE * self.warmup_end)
        share = (place - WARMUP_SHARE) / (1 - WARMUP_SHARE)
        return round(self.warmup_end + share * (self.last - self.warmup_end))

    def place(self, step: int) -> float:
        """The place of a step, from 0 to 1."""
        if not self.warmup_end:
            return step / max(self.last, 1)
        if step <= self.warmup_end:
            return step / self.warmup_end * WARMUP_SHARE
        share = (step - self.warmup_end) / (self.last - self.warmup_end)
        return WARMUP_SHARE + share * (1 - WARMUP_SHARE)


def steps_of(plan: Plan) -> Steps:
    """The axis of a plan: its warm-up is drawn wider if it is a small part of the run."""
    ends = [group.warmup_steps for group in plan.groups if group.warmup_steps < plan.steps]
    end = max(ends, default=0)
    return Steps(plan.steps, end if 0 < end < WARMUP_SHARE * (plan.steps - 1) else 0)


@dataclass(frozen=True)
class Values:
    """Values from `low` to `high`, with `log` on a logarithmic scale."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """The place of a value, from 0 to 1; values outside the axis are clipped."""
        value = min(max(value, self.low), self.high)
        if self.high <= self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """The values to label, lowest first."""
        if not self.log:
            middle = [(self.low + self.high) / 2] if most > 2 else []
            return [self.low, *middle, self.high]
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        stride = math.ceil((last - first + 1) / max(most, 2))
        return [float(f"1e{power}") for power in range(first, last + 1, stride)]


def rates(curves: Sequence[Sequence[float]], levels: Sequence[float]) -> Values:
    """The axis of learning rates, logarithmic if the groups' `levels` are far apart.

    Its lower end is the lowest rate that a group starts at or decays to, but at least a hundredth
    of the lowest level: the first steps of a warm-up from 0 are outside the drawing.
    """
    high = max(map(max, curves))
    positive = [level for level in levels if level > 0]
    if len(curves) == 1 or not positive or high < FAR * min(positive):
        return Values(0.0, high or 1.0)
    ends = [rate for curve in curves for rate in (curve[0], min(curve[len(curve) // 2 :]))]
    lowest = min((rate for rate in ends if rate > 0), default=high)
    bottom = math.floor(math.log10(max(lowest, min(positive) / 100)) + 1e-9)
    top = math.ceil(math.log10(high) - 1e-9)
    return Values(10.0 ** min(bottom, top - 1), 10.0**top, True)
