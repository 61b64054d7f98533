"""The lr, momentum and other scheduled options of one group, step by step."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

from grouper.language.ruleset import Schedule
from grouper.text.dataclass import dataclass, field
from grouper.train.curve import Curve, Run


@dataclass(frozen=True)
class ScheduledOption:
    """An option other than lr that follows a schedule of its own: its value times the factor."""

    key: str
    value: float
    curve: Curve

    def at(self, step: int, run: Run, warmup_end: int) -> float:
        return self.value * self.curve.at(step, run, warmup_end)


@dataclass(frozen=True)
class GroupSchedule:
    """What one group's lr and momentum follow.

    `lr` is the group's own, reached at the end of warm-up; `warmup_steps` its length in steps,
    `start` the lr at its first step, `warmup_shape` how it rises. `momentum` (0 to 1) is None where
    the group has none; where `momentum_is_beta1` is true it stands for the first of the betas.
    `warmup_momentum` is None where momentum is not warmed up. The group trains at the steps
    `first <= step < end` (None: to the run's end); outside of them its lr is 0. `options` are
    others that follow a schedule. `parameters` are the names of the group's parameters: a scheduler
    refuses an optimizer that has others under the same group. `place` says where the rules set the
    lr: `my.rules:3:7`.
    """

    name: str
    lr: float
    warmup_steps: int = 0
    start: float = 0.0
    momentum: float | None = None
    warmup_momentum: float | None = None
    momentum_is_beta1: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    parameters: tuple[str, ...] = ()
    place: str | None = field(default=None, compare=False)
    warmup_shape: str = "linear"
    first: int = 0
    end: int | None = None
    options: tuple[ScheduledOption, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "curve"}

    @cached_property
    def curve(self) -> Curve:
        """The factor of the lr."""
        return Curve(self.schedule)

    @property
    def warmup_end(self) -> int:
        """The step at which the warm-up ends."""
        return self.first + self.warmup_steps

    def trains_at(self, step: int) -> bool:
        """Whether a step is inside the group's window."""
        return self.first <= step and (self.end is None or step < self.end)

    def at(self, step: int, run: Run) -> dict[str, float]:
        """lr, momentum where there is one, and what else is scheduled, at a step."""
        values = {"lr": self.lr_at(step, run)}
        if self.momentum is not None:
            values["momentum"] = self.momentum_at(step, run)
        for option in self.options:
            if option.key != "momentum":
                values[option.key] = option.at(step, run, self.warmup_end)
        return values

    def lr_at(self, step: int, run: Run) -> float:
        """The lr at a step: 0 outside the window."""
        if not self.trains_at(step):
            return 0.0
        within = step - self.first
        if within <= self.warmup_steps and self.curve.after_warmup:
            full = self.lr
        else:
            full = self.lr * self.curve.at(step, run, self.warmup_end)
        return warmed_up(within, self.warmup_steps, self.start, full, self.warmup_shape)

    def momentum_at(self, step: int, run: Run) -> float:
        """The momentum at a step; before and after the window it stands still."""
        assert self.momentum is not None
        scheduled = next((o for o in self.options if o.key == "momentum"), None)
        full = scheduled.at(step, run, self.warmup_end) if scheduled else self.momentum
        if self.warmup_momentum is None:
            return full
        last = step if self.end is None else min(step, self.end - 1)
        within = max(last - self.first, 0)
        return warmed_up(within, self.warmup_steps, self.warmup_momentum, full, self.warmup_shape)


def warmed_up(step: int, length: int, start: float, end: float, shape: str) -> float:
    """The value at a step of a warm-up of `length` steps: from `start` to `end`, and then `end`."""
    if shape == "linear" or step >= length:
        return interpolate(step, length, start, end)
    if shape == "constant" or step <= 0:
        return start
    return (end - start) * ((1 - math.cos(math.pi * (step / length))) / 2) + start


def interpolate(step: int, length: int, start: float, end: float) -> float:
    """`numpy.interp(step, [0, length], [start, end])`, bit for bit, and `end` from `length` on."""
    if step >= length:
        return end
    if step <= 0:
        return start
    return (end - start) / length * step + start
