"""The plan as a torch scheduler: one owner of lr and momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

if TYPE_CHECKING:
    from grouper.planning import Plan


class PlanScheduler(LRScheduler):
    """Follows a plan: `step()` once after each step of the optimizer.

    It writes lr and momentum of every group. Its state is the step alone, so that a run goes on
    where it stopped under whatever plan the rules then make.
    """

    def __init__(self, optimizer: Optimizer, plan: Plan, last_epoch: int = -1) -> None:
        self.plan = plan
        _refuse_other_groups(plan, optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """The learning rates at the current step, one for each group of the optimizer."""
        values = self.plan.at(self.last_epoch)
        return [values[group["name"]]["lr"] for group in self.optimizer.param_groups]

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next step. Raises ValueError where groups came or went since the start."""
        _refuse_other_groups(self.plan, self.optimizer)
        super().step(epoch)
        _write_momentum(self.plan.at(self.last_epoch), self.optimizer.param_groups)

    def state_dict(self) -> dict[str, Any]:
        return {"last_epoch": self.last_epoch, "groups": [c.name for c in self.plan.courses]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to the saved step, and write the values that the plan has there."""
        self.last_epoch = int(state_dict["last_epoch"])
        self._step_count = self.last_epoch + 1
        apply(self.plan, self.optimizer, self.last_epoch)
        self._last_lr = self.get_lr()


def apply(plan: Plan, optimizer: Optimizer, step: int) -> None:
    """Write a step's lr and momentum into the optimizer's groups."""
    _refuse_other_groups(plan, optimizer)
    values = plan.at(step)
    for group in optimizer.param_groups:
        lr = values[group["name"]]["lr"]
        if hasattr(group["lr"], "fill_"):  # a tensor, that a captured or compiled step reads
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr
    _write_momentum(values, optimizer.param_groups)


def _write_momentum(values: dict[str, dict[str, float]], groups: Sequence[dict[str, Any]]) -> None:
    for group in groups:
        momentum = values[group["name"]].get("momentum")
        if momentum is None:
            continue
        if "momentum" in group:
            group["momentum"] = momentum
        elif "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])


def _refuse_other_groups(plan: Plan, optimizer: Optimizer) -> None:
    planned = [course.name for course in plan.courses]
    present = [group.get("name") for group in optimizer.param_groups]
    if present == planned:
        return
    missing = [name for name in planned if name not in present]
    strange = [name for name in present if name not in planned]
    if not missing and not strange and len(present) == len(planned):
        return
    said = []
    if missing:
        said.append("it lacks " + ", ".join(f"`{name}`" for name in missing))
    if strange:
        unknown = ("a group without a name" if n is None else f"`{n}`" for n in strange)
        said.append("the plan knows nothing of " + ", ".join(unknown))
    raise ValueError(
        "the optimizer's groups are not the plan's: "
        + ("; ".join(said) or "some of them are there twice")
        + "; build both from the same rules and model"
    )
