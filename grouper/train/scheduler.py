"""The plan as a torch scheduler: one owner of lr and momentum."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from grouper.train.compatibility import (
    check_lrs,
    check_momentum_declared,
    check_not_reordered,
    group_of_each_tensor,
    match_groups,
)
from grouper.train.step_watcher import StepWatcher

if TYPE_CHECKING:
    from grouper.train.group_schedule import GroupSchedule
    from grouper.train.plan import Plan

Groups = Sequence[dict[str, Any]]
Mark = tuple[object, object]


class PlanScheduler(LRScheduler):
    """Follows a plan: `step()` once after each batch.

    It is the one owner of lr and momentum of every group of the optimizer, and of nothing else.
    Its state is the step, and how long the run is, in numbers that JSON holds: a run goes on where
    it stopped, under whatever plan the rules then make. `load_state_dict({"last_epoch": 500})` goes
    to any step.

    Raises ValueError, here and in `step()`, where the optimizer's groups are not the plan's.
    `step()` raises it as well where somebody else wrote an lr or a momentum, where another
    optimizer was stepped in place of this one, where the scheduler is stepped twice a batch, and
    where it goes on for more than an epoch beyond the plan. Gradient accumulation, the steps that a
    GradScaler skips, and handing over in a SequentialLR are none of these.
    """

    def __init__(self, optimizer: Optimizer, plan: Plan, last_epoch: int = -1) -> None:
        self.plan = plan
        self._homes: dict[int, str] = {}
        if isinstance(optimizer, Optimizer):  # else torch says what it should be
            self._know(optimizer)
            self._witness = StepWatcher(optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The plan's learning rates at the current step, in the order of the optimizer's groups."""
        values = self.plan.at(max(self.last_epoch, 0))
        return [values[group["name"]]["lr"] for group in self.optimizer.param_groups]

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next step, and write its lr and momentum. Raises ValueError for what the
        class says."""
        if self._step_count and epoch is None:
            self._judge()
        self._step_count += 1
        self._update_lr(epoch)

    def state_dict(self) -> dict[str, Any]:
        """The step, and the run's length: three numbers."""
        return {
            "last_epoch": self.last_epoch,
            "steps_per_epoch": self.plan.steps_per_epoch,
            "epochs": self.plan.epochs,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to the saved step, and write the values that the plan has there.

        Warns where an epoch had another number of steps. Raises ValueError for the state of another
        kind of scheduler, whose steps may be epochs.
        """
        if "last_epoch" not in state_dict or "base_lrs" in state_dict:
            raise ValueError(
                "this is not the state of a plan's scheduler; to go to a step, load"
                ' `{"last_epoch": step}`'
            )
        length = state_dict.get("steps_per_epoch", self.plan.steps_per_epoch)
        if length != self.plan.steps_per_epoch:
            warnings.warn(
                f"an epoch had {length} steps when this was saved and has"
                f" {self.plan.steps_per_epoch} now: the run goes on at step"
                f" {state_dict['last_epoch']}, which is another place in the plan",
                stacklevel=2,
            )
        self._update_lr(int(state_dict["last_epoch"]))
        self._step_count = self.last_epoch + 1
        self._witness = StepWatcher(self.optimizer)

    def __getstate__(self) -> dict[str, Any]:
        of_this_process = ("_witness", "_homes", "_wrote")
        return {key: value for key, value in vars(self).items() if key not in of_this_process}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._homes = group_of_each_tensor(self.optimizer)
        self._witness, self._wrote = StepWatcher(self.optimizer), self._marks()

    def _update_lr(self, epoch: int | None = None) -> None:
        """What torch calls where a SequentialLR hands over, too."""
        if self._has_other_groups():
            self._know(self.optimizer)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        write(self.plan, self._courses, self.optimizer.param_groups, max(self.last_epoch, 0))
        self._wrote = self._marks()
        self._last_lr = [
            lr.clone() if isinstance(lr := group["lr"], Tensor) else lr
            for group in self.optimizer.param_groups
        ]

    def _judge(self) -> None:
        """Raise ValueError where the loop does what it should not."""
        if self._groups is not self.optimizer.param_groups:
            self._know(self.optimizer)  # a state was loaded: what it wrote is nobody's fault
        elif self._has_other_groups():
            self._know(self.optimizer)
        elif (wrote := self._marks()) != self._wrote:
            self._refuse_second_owner(wrote)
        fault = self._witness.judge()
        if fault is not None:
            raise ValueError(fault)
        self._refuse_overrun()

    def _know(self, optimizer: Optimizer) -> None:
        """Find the course of each group. Raises ValueError where they are not the plan's."""
        self._courses = match_groups(self.plan, optimizer)
        check_not_reordered(self._homes, optimizer)
        check_lrs(self._courses, optimizer.param_groups)
        check_momentum_declared(self._courses, optimizer.param_groups)
        self._groups, self._sizes = optimizer.param_groups, _sizes(optimizer.param_groups)
        self._homes = group_of_each_tensor(optimizer)

    def _has_other_groups(self) -> bool:
        groups = self.optimizer.param_groups
        return groups is not self._groups or _sizes(groups) != self._sizes

    def _marks(self) -> list[Mark]:
        """Who reads the same marks later knows that nobody wrote in between."""
        groups = self.optimizer.param_groups
        return [
            (_mark(group["lr"]), course.momentum is not None and _mark(_momentum(group)))
            for course, group in zip(self._courses, groups, strict=True)
        ]

    def _refuse_second_owner(self, now: list[Mark]) -> None:
        for course, before, after in zip(self._courses, self._wrote, now, strict=True):
            for what, old, new in zip(("lr", "momentum"), before, after, strict=True):
                if old != new:
                    change = f" from {old:g} to {new:g}" if _numbers(old, new) else ""
                    raise ValueError(
                        f"somebody else changed the {what} of the group `{course.name}`{change}"
                        f" since step {self.last_epoch}, and the plan would undo it: take away the"
                        " other scheduler or warm-up, or put both into a SequentialLR"
                    )

    def _refuse_overrun(self) -> None:
        step, plan = self.last_epoch + 1, self.plan
        if step <= plan.steps:
            return
        planned = f"{plan.steps} steps ({plan.epochs} epochs of {plan.steps_per_epoch})"
        said = (
            f"step {step} is beyond the plan's {planned}: `scheduler.step()` is called more often"
            " than once a batch, or the plan needs more `epochs` or `steps_per_epoch`"
        )
        if step > plan.steps + plan.steps_per_epoch:
            raise ValueError(said)
        if step == plan.steps + 1:
            warnings.warn(said, stacklevel=4)


def apply(plan: Plan, optimizer: Optimizer, step: int) -> None:
    """Write a step's lr and momentum into the optimizer's groups."""
    write(plan, match_groups(plan, optimizer), optimizer.param_groups, step)


def write(plan: Plan, courses: Sequence[GroupSchedule], groups: Groups, step: int) -> None:
    """Write a step's lr and momentum into groups, each of which follows the course beside it.

    A tensor, which a captured or compiled step reads, stays the same tensor.
    """
    for course, group in zip(courses, groups, strict=True):
        values = plan.group_at(course, step)
        group["lr"] = _put(group["lr"], values["lr"])
        momentum = values.get("momentum")
        if momentum is None:
            continue
        if "momentum" in group:
            group["momentum"] = _put(group["momentum"], momentum)
        elif "betas" in group:
            first, *others = group["betas"]
            group["betas"] = (_put(first, momentum), *others)


def _put(old: Any, value: float) -> Any:
    return old.fill_(value) if isinstance(old, Tensor) else value


def _momentum(group: dict[str, Any]) -> Any:
    return group["momentum"] if "momentum" in group else group.get("betas", (None,))[0]


def _mark(value: Any) -> object:
    """A number itself; a tensor by how often it was written, which needs no look at a device."""
    return (id(value), value._version) if isinstance(value, Tensor) else value


def _numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _sizes(groups: Groups) -> list[int]:
    return [len(group["params"]) for group in groups]
