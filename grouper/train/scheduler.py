"""The plan as a torch scheduler, the only writer of lr and momentum."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from grouper.text.arguments import require, require_integer
from grouper.text.dataclass import dataclass
from grouper.text.findings import GroupingWarning
from grouper.train.accelerated import counts_batches
from grouper.train.compatibility import (
    check_lrs,
    check_momentum_declared,
    check_not_reordered,
    group_of_each_tensor,
    match_groups,
    sizes,
)
from grouper.train.courses import Courses, write
from grouper.train.step_watcher import StepWatcher
from grouper.train.wrapped import torch_optimizer

if TYPE_CHECKING:
    from grouper.train.group_schedule import GroupSchedule
    from grouper.train.plan_protocol import PlanProtocol

Written = tuple[list[Any], list[Any]]  # of each group lr, and momentum as its key holds it


class PlanScheduler(LRScheduler):
    """Follows a plan: call `step()` once after each batch.

    It writes lr and momentum of every group of the optimizer, and nothing else. Its state is the
    step and the length of the run, as numbers that JSON can hold: a run continues where it stopped,
    under the plan that the rules make then. `load_state_dict({"last_epoch": 500})` goes to any
    step, counted from 0.

    Raises ValueError, here and in `step()`, where the optimizer's groups are not the plan's.
    `step()` also raises it where something else wrote an lr or a momentum, where another optimizer
    was stepped in place of this one, where the scheduler is stepped twice per batch, and where it
    goes on for more than an epoch after the plan's end. Gradient accumulation, steps that a
    GradScaler skips, and the hand-over in a SequentialLR are allowed.
    """

    def __init__(self, optimizer: Optimizer, plan: PlanProtocol, last_epoch: int = -1) -> None:
        self.plan = plan
        self._group_of: dict[int, str] = {}
        self._length_is_known = False
        if not isinstance(optimizer, Optimizer):  # a wrapper that is none itself, as Lightning's
            optimizer = torch_optimizer(optimizer)
        self._rebind(optimizer)
        self._watcher = StepWatcher(optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The plan's learning rates at the current step, in the order of the optimizer's groups."""
        step = max(self.last_epoch, 0)
        return [self.plan.group_at(schedule, step)["lr"] for schedule in self._schedules]

    def step(self, epoch: int | None = None) -> None:
        """Go to the next step and write its lr and momentum. Raises ValueError for the misuse that
        the class lists."""
        if epoch is not None:
            epoch = require_integer("epoch", epoch, 0, "a step of the run")
        elif self._step_count:
            self._check_usage()
        self._step_count += 1
        if epoch is None and self.last_epoch >= 0 and self._step_count > 1:
            self._go_on()
        else:
            self._update_lr(epoch)

    def state_dict(self) -> dict[str, Any]:
        """The step and the run's length: three integers."""
        return {
            "last_epoch": self.last_epoch,
            "steps_per_epoch": self.plan.steps_per_epoch,
            "epochs": self.plan.epochs,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to the saved step, and write the values that the plan has there.

        Warns where an epoch had another number of steps. Raises TypeError for what is no such
        state, and ValueError for the state of another kind of scheduler, whose steps may be epochs.
        The scheduler is then where it was.
        """
        require("state_dict", state_dict, dict, "what the scheduler's `state_dict()` returned")
        if "last_epoch" not in state_dict or "base_lrs" in state_dict:
            raise ValueError(
                "this is not the state of a plan's scheduler; to go to a step, load"
                ' `{"last_epoch": step}`'
            )
        # A SequentialLR saves -1 for a scheduler to which it has not handed over yet.
        step = require_integer("last_epoch", state_dict["last_epoch"], -1, "a step of the run")
        length = require_integer(
            "steps_per_epoch",
            state_dict.get("steps_per_epoch", self.plan.steps_per_epoch),
            1,
            "the number of steps of an epoch",
        )
        if length != self.plan.steps_per_epoch:
            what = "the run" if self.plan.in_steps else "an epoch"
            warnings.warn(
                f"{what} had {length} steps when this was saved and has"
                f" {self.plan.steps_per_epoch} now: the run goes on at step {step}, which is"
                " another place in the plan",
                stacklevel=2,
            )
        self._update_lr(step)
        self._step_count = self.last_epoch + 1
        self._watcher = StepWatcher(self.optimizer)

    def __getstate__(self) -> dict[str, Any]:
        process_only = ("_watcher", "_group_of", "_written", "_courses")
        return {key: value for key, value in vars(self).items() if key not in process_only}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._group_of = group_of_each_tensor(self._schedules, self.optimizer)
        self._watcher = StepWatcher(self.optimizer)
        self._courses = Courses(self.plan, self._schedules, self.optimizer.param_groups)
        self._written = self._snapshot()

    def _update_lr(self, epoch: int | None = None) -> None:
        """Write the values of a step; a SequentialLR calls this where it hands over."""
        if self._has_other_groups():
            self._rebind(self.optimizer)
        going_on = epoch is None and self.last_epoch >= 0
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if going_on:
            forget(self._schedules, self.optimizer, self.last_epoch)
        self._write()

    def _go_on(self) -> None:
        """The next step, right after the usage was checked."""
        self.last_epoch += 1
        if self._courses.change_at(self.last_epoch):
            if self._courses.has_edge_at(self.last_epoch):
                forget(self._schedules, self.optimizer, self.last_epoch)
            self._write()

    def _write(self) -> None:
        groups = self.optimizer.param_groups
        self._courses.write(groups, max(self.last_epoch, 0))
        self._written = self._snapshot()
        self._last_lr = [
            lr.clone() if isinstance(lr := group["lr"], Tensor) else lr for group in groups
        ]

    def _check_usage(self) -> None:
        """Raises ValueError where the training loop misuses the scheduler."""
        if self._has_other_groups():
            self._rebind(self.optimizer)  # a loaded state may have written any lr
        elif (now := self._snapshot()) != self._written:
            self._refuse_second_owner(now)
        problem = self._watcher.problem()
        if problem is not None:
            raise ValueError(problem)
        if self.last_epoch >= self.plan.steps:
            self._refuse_overrun()
        if not self._length_is_known and (problem := counts_batches(self.plan)):
            warnings.warn(problem, GroupingWarning, stacklevel=4)
        self._length_is_known = True

    def _rebind(self, optimizer: Optimizer) -> None:
        """Find the schedule of each group. Raises ValueError where they are not the plan's."""
        check_not_reordered(self._group_of, optimizer)
        self._schedules = match_groups(self.plan, optimizer)
        check_lrs(self._schedules, optimizer.param_groups)
        check_momentum_declared(self._schedules, optimizer.param_groups)
        self._groups, self._sizes = optimizer.param_groups, sizes(optimizer.param_groups)
        self._courses = Courses(self.plan, self._schedules, self._groups)
        self._group_of = group_of_each_tensor(self._schedules, optimizer)

    def _has_other_groups(self) -> bool:
        groups = self.optimizer.param_groups
        return groups is not self._groups or sizes(groups) != self._sizes

    def _snapshot(self) -> Written:
        """lr and momentum of each group now: equal to an earlier snapshot unless one was written
        in between."""
        groups, keys = self.optimizer.param_groups, self._courses.momentum_keys
        lrs = [group["lr"] for group in groups]
        momenta = [key and group[key] for group, key in zip(groups, keys, strict=True)]
        if self._courses.has_tensors:
            return list(map(_comparable, lrs)), list(map(_comparable, momenta))
        return lrs, momenta

    def _refuse_second_owner(self, now: Written) -> None:
        before = zip(*self._written, strict=True)
        for schedule, old_values, values in zip(
            self._schedules, before, zip(*now, strict=True), strict=True
        ):
            for what, *changed in zip(("lr", "momentum"), old_values, values, strict=True):
                old, new = map(_comparable, changed)
                if old != new:
                    change = f" from {old:g} to {new:g}" if _are_numbers(old, new) else ""
                    raise ValueError(
                        f"something else changed the {what} of the group `{schedule.name}`{change}"
                        f" since step {self.last_epoch}, and the plan would undo it: remove the"
                        " other scheduler or warm-up, or put both into a SequentialLR"
                    )

    def _refuse_overrun(self) -> None:
        step, plan = self.last_epoch + 1, self.plan
        more = "`steps`" if plan.in_steps else "`epochs` or `steps_per_epoch`"
        problem = (
            f"step {step} is beyond the plan's {plan.length}: `scheduler.step()` is called more"
            f" often than once a batch, or the plan needs more {more}; an epoch of accumulated"
            " gradients has `math.ceil(len(loader) / accumulate)` steps, not"
            " `len(loader) // accumulate`: trainers also step after its last, shorter accumulation"
        )
        if step > plan.steps + plan.steps_per_epoch:
            raise ValueError(problem)
        if step == plan.steps + 1:
            warnings.warn(problem, stacklevel=4)


def apply(plan: PlanProtocol, optimizer: Optimizer, step: int) -> None:
    """Write a step's lr and momentum into the optimizer's groups; where a window opens or
    closes, the state of its parameters is emptied."""
    optimizer = torch_optimizer(optimizer)
    step = require_integer("step", step, 0, "a step of the run")
    schedules = match_groups(plan, optimizer)
    forget(schedules, optimizer, step)
    write(plan, schedules, optimizer.param_groups, step)


def forget(schedules: Sequence[GroupSchedule], optimizer: Optimizer, step: int) -> None:
    """Empty the optimizer's state of the groups whose window opens or closes at a step.

    What gradients left in momentum while nothing moved then never becomes a step: the parameters
    begin as if they had just been added. After the window nothing needs the state, and ASGD, whose
    steps follow the lr a step late, would make one more with it.
    """
    for schedule, group in zip(schedules, optimizer.param_groups, strict=True):
        if step and step in (schedule.first, schedule.end):
            for parameter in group["params"]:
                optimizer.state.pop(parameter, None)


@dataclass(frozen=True)
class _Stamp:
    """A tensor and the count of its in-place changes, which reads no device."""

    identity: int
    changes: int


def _comparable(value: Any) -> object:
    """A value as it can be compared later: of betas the first, of a tensor its stamp."""
    if isinstance(value, Tensor):
        return _Stamp(id(value), value._version)
    return _comparable(value[0]) if isinstance(value, tuple | list) else value


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) for value in values)
