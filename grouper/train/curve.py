"""The factor of an option over a run: a schedule, and what it counts time in."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from grouper.language.ruleset import Schedule
from grouper.options.schedules import SCHEDULES
from grouper.options.schedules.schedule_type import Factor
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Run:
    """The length of a run: `epochs` epochs of `steps_per_epoch` optimizer steps each."""

    steps_per_epoch: int
    epochs: int

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.epochs


@dataclass(frozen=True)
class Curve:
    """A schedule as a pure function of the step."""

    schedule: Schedule

    def __getstate__(self) -> dict[str, Any]:
        return {"schedule": self.schedule}

    @cached_property
    def factor(self) -> Factor:
        """The factor as a function of the time, the schedule's total time, and the time of the
        whole run.
        """
        return SCHEDULES[self.schedule.name].factor(self.schedule.options)  # type: ignore[arg-type]

    @property
    def after_warmup(self) -> bool:
        """Whether time starts at the end of the group's warm-up."""
        return self.schedule.options.get("after") == "warmup"

    @property
    def by_step(self) -> bool:
        """Whether time is counted in steps; else in epochs."""
        every = self.schedule.options.get("every")
        return every == "step" or (every is None and self.after_warmup)

    @property
    def lag(self) -> int:
        """By how much the schedule is delayed after warm-up, in epochs or steps."""
        lag = self.schedule.options.get("lag")
        return lag if isinstance(lag, int) else 0

    @property
    def hangs_on_warmup(self) -> bool:
        """Whether groups with warm-ups of different lengths follow it differently."""
        return self.after_warmup or bool(self.lag)

    def at(self, step: int, run: Run, warmup_end: int) -> float:
        """The factor at a step, for a group whose warm-up ends at the step `warmup_end`."""
        return self.at_time(step if self.by_step else step // run.steps_per_epoch, run, warmup_end)

    def at_time(self, time: int, run: Run, warmup_end: int) -> float:
        """The factor at an epoch, or a step where the schedule counts them."""
        whole = run.steps if self.by_step else run.epochs
        if self.after_warmup:
            begin = warmup_end if self.by_step else warmup_end / run.steps_per_epoch
            if begin >= whole:  # the warm-up fills the run, and nothing comes after it
                return self.factor(1, 1, 1)
            return self.factor(max(time - begin, 0), whole - begin, whole)
        if self.lag:
            end = warmup_end if self.by_step else warmup_end // run.steps_per_epoch
            time = time if time <= end else max(time - self.lag, end)
        return self.factor(time, whole, whole)
