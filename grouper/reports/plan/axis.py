"""Where steps and values stand in a drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grouper.train.plan import Plan

WARMUP_SHARE = 0.3  # of the width, where warm-up would else be too narrow to be seen
FAR = 5  # times the lowest lr: then a linear axis would press the lower curves to its edge


@dataclass(frozen=True)
class Steps:
    """Steps from left to right; where `turn` is not 0, those before it are drawn wider."""

    total: int
    turn: int = 0

    @property
    def last(self) -> int:
        return self.total - 1

    def sampled(self, columns: int) -> list[int]:
        """One step for each column."""
        return [self.step(column / max(columns - 1, 1)) for column in range(columns)]

    def step(self, place: float) -> int:
        """The step at a place from 0 to 1."""
        if not self.turn:
            return round(place * self.last)
        if place <= WARMUP_SHARE:
            return round(place / WARMUP_SHARE * self.turn)
        share = (place - WARMUP_SHARE) / (1 - WARMUP_SHARE)
        return round(self.turn + share * (self.last - self.turn))

    def place(self, step: int) -> float:
        """The place of a step, from 0 to 1."""
        if not self.turn:
            return step / max(self.last, 1)
        if step <= self.turn:
            return step / self.turn * WARMUP_SHARE
        share = (step - self.turn) / (self.last - self.turn)
        return WARMUP_SHARE + share * (1 - WARMUP_SHARE)


def steps_of(plan: Plan) -> Steps:
    """The axis of a plan: its warm-up is drawn wider where it is a small part of the run."""
    turn = max((c.warmup_steps for c in plan.groups if c.warmup_steps < plan.steps), default=0)
    return Steps(plan.steps, turn if 0 < turn < WARMUP_SHARE * (plan.steps - 1) else 0)


@dataclass(frozen=True)
class Values:
    """Values from `low` to `high`, by their logarithm where `log`."""

    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """The place of a value, from 0 to 1; what is outside is put on the edge."""
        value = min(max(value, self.low), self.high)
        if self.high <= self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """Values worth a label, lowest first."""
        if not self.log:
            middle = [(self.low + self.high) / 2] if most > 2 else []
            return [self.low, *middle, self.high]
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        stride = math.ceil((last - first + 1) / max(most, 2))
        return [float(f"1e{power}") for power in range(first, last + 1, stride)]


def rates(curves: Sequence[Sequence[float]], levels: Sequence[float]) -> Values:
    """The axis of learning rates: logarithmic where the groups' own `levels` lie far apart.

    It ends, below, at the lowest rate that a group starts at or comes down to, but at most a
    hundredth below the lowest level: the first steps of a warm-up from 0 are off the paper.
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
