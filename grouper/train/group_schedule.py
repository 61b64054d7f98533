"""One group's lr and momentum: what they follow, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from grouper.language.ruleset import Schedule
from grouper.options.schedules.base import Factor, factor


@dataclass(frozen=True)
class GroupSchedule:
    """What one group's lr and momentum follow.

    `lr` is the group's own, reached at the end of warm-up; `warmup_steps` its length in steps,
    `start` the lr at step 0. `momentum` is None where the group has none; where `betas` is true
    it stands for the first of them. `warmup_momentum` is None where momentum is not warmed up.
    `parameters` are the names of the group's parameters: a scheduler refuses an optimizer that
    has others under the same group. `place` says where the rules set the lr: `my.rules:3:7`.
    """

    name: str
    lr: float
    warmup_steps: int = 0
    start: float = 0.0
    momentum: float | None = None
    warmup_momentum: float | None = None
    betas: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    parameters: tuple[str, ...] = ()
    place: str | None = field(default=None, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "factor"}

    @cached_property
    def factor(self) -> Factor:
        return factor(self.schedule.name, self.schedule.options)

    @property
    def by_step(self) -> bool:
        """Whether the schedule's time is counted in steps, not in epochs."""
        return self.schedule.options.get("every") == "step"

    @property
    def lag(self) -> int:
        """How late, in epochs or steps, the schedule is followed after warm-up."""
        lag = self.schedule.options.get("lag")
        return lag if isinstance(lag, int) else 0


def interpolate(step: int, length: int, start: float, end: float) -> float:
    """`numpy.interp(step, [0, length], [start, end])`, bit for bit, and `end` from `length` on."""
    if step >= length:
        return end
    if step <= 0:
        return start
    return (end - start) / length * step + start


def delayed(time: int, turn: int, lag: int) -> int:
    """The time that a schedule is at: on time until warm-up's end, and then so much behind, where
    it never goes back."""
    return time if time <= turn else max(time - lag, turn)


def warm_up(steps: list[int], length: int, start: float, values: list[float]) -> None:
    """Put `interpolate` in the place of the first values, those of `steps`."""
    for index, step in enumerate(steps):
        values[index] = interpolate(step, length, start, values[index])
