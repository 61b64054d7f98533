"""The plan: lr and momentum of every group at every step, a pure function of the step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, islice
from operator import le
from typing import TYPE_CHECKING

from grouper.train.group_schedule import GroupSchedule, delayed, interpolate, warm_up

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

Runs = list[tuple[int, int]]  # neighbouring steps of one epoch: the epoch, and how many


@dataclass(frozen=True)
class Plan:
    """A run of `epochs` epochs of `steps_per_epoch` optimizer steps each."""

    courses: tuple[GroupSchedule, ...]
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
            warm_up(steps[:warm], length, course.start, lr)
            found[course.name] = {"lr": lr}
            if course.momentum is not None:
                momentum = [course.momentum] * len(steps)
                if course.warmup_momentum is not None:
                    warm_up(steps[:warm], length, course.warmup_momentum, momentum)
                found[course.name]["momentum"] = momentum
        return found

    def _factors(self, course: GroupSchedule, steps: list[int], runs: Runs) -> list[float]:
        """The schedule's factors: one for each step, or for each run of steps of one epoch."""
        times = steps if course.by_step else [epoch for epoch, _ in runs]
        total = self.steps if course.by_step else self.epochs
        if course.lag:
            turn = self._turn(course)
            times = [delayed(time, turn, course.lag) for time in times]
        return [course.factor(time, total) for time in times]

    def _turn(self, course: GroupSchedule) -> int:
        """The time of the schedule at which the warm-up ends."""
        length = course.warmup_steps
        return length if course.by_step else length // self.steps_per_epoch

    def _rates(self, course: GroupSchedule, factors: list[float], runs: Runs) -> list[float]:
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

    def of(self, course: GroupSchedule, step: int) -> dict[str, float]:
        """lr, and momentum where there is one, of one course at a step."""
        time, total = (
            (step, self.steps) if course.by_step else (step // self.steps_per_epoch, self.epochs)
        )
        time = delayed(time, self._turn(course), course.lag)
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


def _refuse_negative(step: int) -> None:
    if step < 0:
        raise ValueError(f"steps are counted from 0, so there is no step {step}")
