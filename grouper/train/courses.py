"""Writes a plan's values into an optimizer's groups, step after step.

Factors are evaluated once for all groups that follow the same schedule, and nothing is written
while nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from grouper.train.curve import Curve, Run
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan_protocol import PlanProtocol

Groups = Sequence[dict[str, Any]]


class _Row(NamedTuple):
    """What the values of a group are computed from, where it trains in the whole run with a linear
    warm-up.

    `curve` is the index of its schedule. `momentum_key` is None where it has no momentum.
    """

    lr: float
    start: float
    warmup_steps: int
    curve: int
    after_warmup: bool
    momentum: float
    warmup_momentum: float
    momentum_key: str | None


class Courses:
    """The schedules of an optimizer's groups, in their order, prepared for the training loop.

    Equal to `group_at` of the plan to the last bit.
    """

    def __init__(
        self, plan: PlanProtocol, schedules: Sequence[GroupSchedule], groups: Groups
    ) -> None:
        self._schedules = schedules
        self._run = Run(plan.steps_per_epoch, plan.epochs)
        self._curves: list[tuple[Curve, int]] = []
        self._indexes: dict[object, int] = {}
        pairs = zip(schedules, groups, strict=True)
        self._rows = [self._row(s, g) if _is_plain(s, g) else None for s, g in pairs]
        edges = {edge for schedule in schedules for edge in (schedule.first, schedule.end)}
        self._edges = edges - {0, None}
        self._warm = max((s.warmup_end + 1 for s in schedules), default=0)
        curves = [c for s in schedules for c in (s.curve, *(o.curve for o in s.options))]
        self._always = any(curve.by_step for curve in curves)

    def change_at(self, step: int) -> bool:
        """Whether some value may differ from that of the step before."""
        return (
            self._always
            or step <= self._warm
            or step % self._run.steps_per_epoch == 0
            or step in self._edges
        )

    def has_edge_at(self, step: int) -> bool:
        """Whether the window of some group opens or closes at a step of the run."""
        return step in self._edges

    def write(self, groups: Groups, step: int) -> None:
        """Write a step's values; a tensor, which a captured step reads, stays the same tensor."""
        factors = [curve.at(step, self._run, end) for curve, end in self._curves]
        for row, group in zip(self._rows, groups, strict=True):
            if row is None:
                continue
            lr, start, length, curve, after, momentum, cold, key = row
            if step < length:
                full = lr if after else lr * factors[curve]
                group["lr"] = (full - start) / length * step + start if step else start
                momentum = (momentum - cold) / length * step + cold if step else cold
            else:
                group["lr"] = lr if after and step == length else lr * factors[curve]
            if key == "momentum":
                group[key] = momentum
            elif key is not None:
                group[key] = (momentum, *group[key][1:])
        if None in self._rows:
            for row, schedule, group in zip(self._rows, self._schedules, groups, strict=True):
                if row is None:
                    _write(schedule.at(step, self._run), group)

    def _row(self, schedule: GroupSchedule, group: dict[str, Any]) -> _Row:
        curve, end = schedule.curve, schedule.warmup_end if schedule.curve.hangs_on_warmup else 0
        terms = sorted(curve.schedule.options.items(), key=str)
        index = self._indexes.setdefault(f"{curve.schedule.name} {terms} {end}", len(self._curves))
        if index == len(self._curves):
            self._curves.append((curve, schedule.warmup_end))
        momentum = schedule.momentum if schedule.momentum is not None else 0.0
        cold = schedule.warmup_momentum
        key = next((key for key in ("momentum", "betas") if key in group), None)
        return _Row(
            schedule.lr,
            schedule.start,
            schedule.warmup_steps,
            index,
            curve.after_warmup,
            momentum,
            momentum if cold is None else cold,
            key if schedule.momentum is not None else None,
        )


def write(
    plan: PlanProtocol, schedules: Sequence[GroupSchedule], groups: Groups, step: int
) -> None:
    """Write a step's values into groups; `schedules` has the schedule of each, in their order."""
    for schedule, group in zip(schedules, groups, strict=True):
        _write(plan.group_at(schedule, step), group)


def momentum_of(group: dict[str, Any]) -> Any:
    """A group's momentum, or the first of its betas; None where it has neither."""
    return group["momentum"] if "momentum" in group else group.get("betas", (None,))[0]


def _is_plain(schedule: GroupSchedule, group: dict[str, Any]) -> bool:
    whole = schedule.first == 0 and schedule.end is None and not schedule.options
    tensors = any(isinstance(value, Tensor) for value in (group["lr"], momentum_of(group)))
    return whole and schedule.warmup_shape == "linear" and not tensors


def _write(values: dict[str, float], group: dict[str, Any]) -> None:
    group["lr"] = _put(group["lr"], values.pop("lr"))
    momentum = values.pop("momentum", None)
    for key, value in values.items():
        group[key] = _put(group[key], value)
    if momentum is None:
        return
    if "momentum" in group:
        group["momentum"] = _put(group["momentum"], momentum)
    elif "betas" in group:
        first, *others = group["betas"]
        group["betas"] = (_put(first, momentum), *others)


def _put(old: Any, value: float) -> Any:
    return old.fill_(value) if isinstance(old, Tensor) else value
