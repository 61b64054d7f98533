"""The plan: lr and momentum of every group at every step, a pure function of the step."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import groupby, islice
from operator import le
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from grouper.text.arguments import require_all, require_integer, wrong_type
from grouper.text.dataclass import dataclass, field
from grouper.text.findings import Finding, warn
from grouper.text.picture import Picture
from grouper.text.printable import count_phrase
from grouper.text.shown import Shown, line
from grouper.train.curve import Curve, Run
from grouper.train.group_schedule import GroupSchedule

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

STEP = "a step of the run"


@dataclass(frozen=True, repr=False)
class Plan(Shown):
    """A run of `epochs` epochs of `steps_per_epoch` optimizer steps each.

    A run that was given in steps alone is one epoch, and `in_steps`. `findings` say what
    is wrong with the rules in a run of this length.
    """

    groups: tuple[GroupSchedule, ...]
    steps_per_epoch: int
    epochs: int
    in_steps: bool = False
    findings: tuple[Finding, ...] = field(default=(), compare=False, repr=False)

    def __repr__(self) -> str:
        return line(self, f"{count_phrase(self.groups, 'group')}, {self.length}")

    def __post_init__(self) -> None:
        require_all("groups", self.groups, GroupSchedule, "a tuple of the groups' schedules")
        require_integer("steps_per_epoch", self.steps_per_epoch, 1, "the steps of an epoch")
        require_integer("epochs", self.epochs, 1, "the number of epochs")

    @property
    def run(self) -> Run:
        """The run's length."""
        return Run(self.steps_per_epoch, self.epochs)

    @property
    def steps(self) -> int:
        """Steps in the whole run."""
        return self.steps_per_epoch * self.epochs

    @property
    def warmup_steps(self) -> int:
        """The length of the longest warm-up, in steps."""
        return max((group.warmup_steps for group in self.groups), default=0)

    @property
    def length(self) -> str:
        """The run's length in words."""
        if self.in_steps:
            return f"{self.steps} steps"
        return f"{self.steps} steps ({self.epochs} epochs of {self.steps_per_epoch})"

    def at(self, step: int) -> dict[str, dict[str, float]]:
        """lr, momentum where the group has one, and what else the rules schedule, of each group at
        a global step from 0.

        Beyond the last step the schedules that have a `final` stay there; the others go on.
        """
        step = require_integer("step", step, 0, STEP)
        return {group.name: self.group_at(group, step) for group in self.groups}

    def group_at(self, group: GroupSchedule, step: int) -> dict[str, float]:
        """The values of one group at a step, by option."""
        return group.at(step, self.run)

    def over(self, steps: Iterable[int]) -> dict[str, dict[str, list[float]]]:
        """`at` for many steps, to the last bit: one list for each value of each group.

        A schedule that counts epochs is evaluated once an epoch, and once for all of its groups.
        """
        if not isinstance(steps, Iterable) or isinstance(steps, str | bytes | Mapping):
            raise wrong_type("steps", steps, "steps, such as `range(plan.steps)`")
        steps = [
            each if type(each) is int else require_integer("step", each, 0, STEP) for each in steps
        ]
        require_integer("step", min(steps, default=0), 0, STEP)
        factors = _Factors(steps, self.run)
        return {group.name: _over(group, factors) for group in self.groups}

    def scheduler(self, optimizer: Optimizer) -> LRScheduler:
        """A torch LRScheduler that follows the plan: `step()` once after each optimizer step.

        Warns of the plan's findings. Raises ValueError where the optimizer's groups are not the
        plan's.
        """
        from grouper.train.scheduler import PlanScheduler

        warn(self.findings)
        return PlanScheduler(optimizer, self)

    def plot(self, path: str | Path | None = None) -> Picture:
        """lr and momentum over the run as a picture, as `grouper plan --plot` draws it.

        Notebooks show what is returned; `path`, a .png or .svg file, also keeps it. Raises
        ImportError where matplotlib is not installed, ValueError for another ending and where
        nothing is trained, and OSError where the file cannot be written.
        """
        picture: Picture = resolve_name("grouper.reports.plan.picture:picture_of")(self, path)
        return picture

    def apply(self, optimizer: Optimizer, step: int) -> None:
        """Write the values of a step into the optimizer's groups, for loops without a scheduler.

        Where a window opens or closes, the optimizer's state of its parameters is emptied.
        Raises ValueError where the optimizer's groups are not the plan's.
        """
        from grouper.train.scheduler import apply

        apply(self, optimizer, step)


class _Factors:
    """The factors of curves at many steps; each curve is evaluated once."""

    def __init__(self, steps: list[int], run: Run) -> None:
        self.steps = steps
        self.run = run
        self.rising = all(map(le, steps, islice(steps, 1, None)))
        epochs = groupby(step // run.steps_per_epoch for step in steps)
        self._epochs = [(epoch, len(list(steps))) for epoch, steps in epochs]
        self._known: dict[str, list[float]] = {}

    def of(self, curve: Curve, warmup_end: int) -> list[float]:
        """One factor for each step."""
        key = f"{curve.schedule.name} {sorted(curve.schedule.options.items(), key=str)}"
        if curve.hangs_on_warmup:
            key += f" {warmup_end}"
        if key not in self._known:
            self._known[key] = self._computed(curve, warmup_end)
        return self._known[key]

    def _computed(self, curve: Curve, warmup_end: int) -> list[float]:
        if curve.by_step:
            return [curve.at_time(step, self.run, warmup_end) for step in self.steps]
        factors: list[float] = []
        for epoch, count in self._epochs:
            factors += [curve.at_time(epoch, self.run, warmup_end)] * count
        return factors


def _over(group: GroupSchedule, factors: _Factors) -> dict[str, list[float]]:
    steps, run, end = factors.steps, factors.run, group.warmup_end
    lr = [group.lr * factor for factor in factors.of(group.curve, end)]
    # Where warm-ups and windows bend the curve: all steps, if they are in no order.
    first, last = (bisect_left(steps, end + 1), len(steps)) if factors.rising else (len(steps), 0)
    if group.end is not None and factors.rising:
        last = bisect_left(steps, group.end)
    bent = [*range(first), *range(last, len(steps))] if factors.rising else range(len(steps))
    for index in bent:
        lr[index] = group.lr_at(steps[index], run)
    values = {"lr": lr}
    scheduled = {o.key: [o.value * f for f in factors.of(o.curve, end)] for o in group.options}
    if group.momentum is not None:
        momentum = scheduled.pop("momentum", None) or [group.momentum] * len(steps)
        if group.warmup_momentum is not None:
            for index in bent:
                momentum[index] = group.momentum_at(steps[index], run)
        values["momentum"] = momentum
    return values | scheduled
