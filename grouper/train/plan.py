"""The plan: lr and momentum of every group at every step, a pure function of the step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, islice
from operator import le
from typing import TYPE_CHECKING, Any

from grouper.language.ruleset import Schedule
from grouper.options.schedules.base import Factor, factor

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

Runs = list[tuple[int, int]]  # neighbouring steps of one epoch: the epoch, and how many


@dataclass(frozen=True)
class Course:
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


@dataclass(frozen=True)
class Plan:
    """A run of `epochs` epochs of `steps_per_epoch` optimizer steps each."""

    courses: tuple[Course, ...]
    steps_per_epoch: int
    epochs: int

    @property
    def steps(self) -> int:
        """Steps in the whole run."""
        return self.steps_per_epoch * self.epochs

    @property
    def warmup_steps(self) -> int:
        """The length of the longest warm-up, in steps."""
        return max((course.warmup_steps for course in self.courses), default=0)

    def at(self, step: int) -> dict[str, dict[str, float]]:
        """lr, and momentum where the group has one, of each group at a global step from 0.

        Beyond the last step the schedules that have a `final` stay there; the others go on.
        """
        _refuse_negative(step)
        return {course.name: self.of(course, step) for course in self.courses}

    def over(self, steps: Iterable[int]) -> dict[str, dict[str, list[float]]]:
        """`at` for many steps, to the last bit: one list for each value of each group.

        A schedule that counts epochs is evaluated once an epoch, and once for all of its groups.
        """
        steps = list(steps)
        _refuse_negative(min(steps, default=0))
        rising = all(map(le, steps, islice(steps, 1, None)))
        epochs = groupby(step // self.steps_per_epoch for step in steps)
        runs = [(epoch, len(list(run))) for epoch, run in epochs]
        factors: dict[str, list[float]] = {}
        found: dict[str, dict[str, list[float]]] = {}
        for course in self.courses:
            schedule = f"{course.schedule.name} {sorted(course.schedule.options.items())}"
            if course.lag:
                schedule += f" {self._turn(course)}"
            if schedule not in factors:
                factors[schedule] = self._factors(course, steps, runs)
            length = course.warmup_steps
            warm = bisect_left(steps, length) if rising else len(steps)
            lr = self._rates(course, factors[schedule], runs)
            _warm_up(steps[:warm], length, course.start, lr)
            found[course.name] = {"lr": lr}
            if course.momentum is not None:
                momentum = [course.momentum] * len(steps)
                if course.warmup_momentum is not None:
                    _warm_up(steps[:warm], length, course.warmup_momentum, momentum)
                found[course.name]["momentum"] = momentum
        return found

    def _factors(self, course: Course, steps: list[int], runs: Runs) -> list[float]:
        """The schedule's factors: one for each step, or for each run of steps of one epoch."""
        times = steps if course.by_step else [epoch for epoch, _ in runs]
        total = self.steps if course.by_step else self.epochs
        if course.lag:
            turn = self._turn(course)
            times = [_late(time, turn, course.lag) for time in times]
        return [course.factor(time, total) for time in times]

    def _turn(self, course: Course) -> int:
        """The time of the schedule at which the warm-up ends."""
        length = course.warmup_steps
        return length if course.by_step else length // self.steps_per_epoch

    def _rates(self, course: Course, factors: list[float], runs: Runs) -> list[float]:
        if course.by_step:
            return [course.lr * value for value in factors]
        rates: list[float] = []
        for value, (_, count) in zip(factors, runs, strict=True):
            rates += [course.lr * value] * count
        return rates

    def scheduler(self, optimizer: Optimizer) -> LRScheduler:
        """A torch LRScheduler that follows the plan: `step()` once after each optimizer step.

        Raises ValueError where the optimizer's groups are not the plan's.
        """
        from grouper.train.scheduler import PlanScheduler

        return PlanScheduler(optimizer, self)

    def apply(self, optimizer: Optimizer, step: int) -> None:
        """Write the values of a step into the optimizer's groups, for loops without a scheduler.

        Raises ValueError where the optimizer's groups are not the plan's.
        """
        from grouper.train.scheduler import apply

        apply(self, optimizer, step)

    def of(self, course: Course, step: int) -> dict[str, float]:
        """lr, and momentum where there is one, of one course at a step."""
        time, total = (
            (step, self.steps) if course.by_step else (step // self.steps_per_epoch, self.epochs)
        )
        time = _late(time, self._turn(course), course.lag)
        lr, warmup = course.lr * course.factor(time, total), course.warmup_steps
        values = {"lr": interpolate(step, warmup, course.start, lr)}
        if course.momentum is not None:
            start = course.warmup_momentum
            values["momentum"] = (
                course.momentum
                if start is None
                else interpolate(step, warmup, start, course.momentum)
            )
        return values


def interpolate(step: int, length: int, start: float, end: float) -> float:
    """`numpy.interp(step, [0, length], [start, end])`, bit for bit, and `end` from `length` on."""
    if step >= length:
        return end
    if step <= 0:
        return start
    return (end - start) / length * step + start


def _refuse_negative(step: int) -> None:
    if step < 0:
        raise ValueError(f"steps are counted from 0, so there is no step {step}")


def _late(time: int, turn: int, lag: int) -> int:
    """The time that a schedule is at: on time until warm-up's end, and then so much behind, where
    it never goes back."""
    return time if time <= turn else max(time - lag, turn)


def _warm_up(steps: list[int], length: int, start: float, values: list[float]) -> None:
    """Put `interpolate` in the place of the first values, those of `steps`."""
    for index, step in enumerate(steps):
        values[index] = interpolate(step, length, start, values[index])
