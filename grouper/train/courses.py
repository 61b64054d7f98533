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


class _Rise(NamedTuple):
    """An lr that rises in a linear warm-up and then follows a schedule, by the schedule's index."""

    lr: float
    start: float
    warmup_steps: int
    curve: int
    after_warmup: bool


class _Momentum(NamedTuple):
    """A momentum that goes linearly from one value to another."""

    value: float
    start: float
    warmup_steps: int


class _Row(NamedTuple):
    """The values of a group that trains in the whole run, by their indexes among the different
    ones. `key` is None where it has no momentum."""

    rise: int
    momentum: int
    key: str | None


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
        self._rises: dict[_Rise, int] = {}
        self._momenta: dict[_Momentum, int] = {}
        self.momentum_keys = [momentum_key(s, g) for s, g in zip(schedules, groups, strict=True)]
        self.has_tensors = any(map(_has_tensors, groups, self.momentum_keys))
        self._rows = [
            self._row(schedule, key) if self._is_plain(schedule) else None
            for schedule, key in zip(schedules, self.momentum_keys, strict=True)
        ]
        edges = {edge for schedule in schedules for edge in (schedule.first, schedule.end)}
        self._edges = edges - {0, None}
        self._warm = max((s.warmup_end + 1 for s in schedules), default=0)
        curves = [c for s in schedules for c in (s.curve, *(o.curve for o in s.options))]
        self._always = any(curve.by_step for curve in curves)
        self._epoch, self._factors = -1, [0.0] * len(self._curves)

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
        epoch = step // self._run.steps_per_epoch
        if self._always or epoch != self._epoch:
            self._factors = [curve.at(step, self._run, end) for curve, end in self._curves]
            self._epoch = epoch
        lrs = [_lr(rise, self._factors[rise.curve], step) for rise in self._rises]
        momenta = [_momentum(momentum, step) for momentum in self._momenta]
        for row, group in zip(self._rows, groups, strict=True):
            if row is None:
                continue
            rise, momentum, key = row
            group["lr"] = lrs[rise]
            if key == "momentum":
                group["momentum"] = momenta[momentum]
            elif key is not None:
                group[key] = (momenta[momentum], *group[key][1:])
        if None in self._rows:
            for row, schedule, group in zip(self._rows, self._schedules, groups, strict=True):
                if row is None:
                    _write(schedule.at(step, self._run), group)

    def _is_plain(self, schedule: GroupSchedule) -> bool:
        whole = schedule.first == 0 and schedule.end is None and not schedule.options
        return whole and schedule.warmup_shape == "linear" and not self.has_tensors

    def _row(self, schedule: GroupSchedule, key: str | None) -> _Row:
        curve, end = schedule.curve, schedule.warmup_end if schedule.curve.hangs_on_warmup else 0
        terms = sorted(curve.schedule.options.items(), key=str)
        index = self._indexes.setdefault(f"{curve.schedule.name} {terms} {end}", len(self._curves))
        if index == len(self._curves):
            self._curves.append((curve, schedule.warmup_end))
        own = schedule.momentum if schedule.momentum is not None else 0.0
        cold = schedule.warmup_momentum if schedule.warmup_momentum is not None else own
        length = schedule.warmup_steps
        rise = _Rise(schedule.lr, schedule.start, length, index, curve.after_warmup)
        momentum = _Momentum(own, cold, length)
        return _Row(
            self._rises.setdefault(rise, len(self._rises)),
            self._momenta.setdefault(momentum, len(self._momenta)),
            key,
        )


def _lr(rise: _Rise, factor: float, step: int) -> float:
    lr, start, length, _, after = rise
    if step < length:
        full = lr if after else lr * factor
        return (full - start) / length * step + start if step else start
    return lr if after and step == length else lr * factor


def _momentum(momentum: _Momentum, step: int) -> float:
    value, start, length = momentum
    if step >= length:
        return value
    return (value - start) / length * step + start if step else start


def write(
    plan: PlanProtocol, schedules: Sequence[GroupSchedule], groups: Groups, step: int
) -> None:
    """Write a step's values into groups; `schedules` has the schedule of each, in their order."""
    for schedule, group in zip(schedules, groups, strict=True):
        _write(plan.group_at(schedule, step), group)


def momentum_key(schedule: GroupSchedule, group: dict[str, Any]) -> str | None:
    """The key of a group's momentum: its own, or that of the betas, of which it is the first.

    None where the schedule, or the group, has none.
    """
    keys = ("momentum", "betas") if schedule.momentum is not None else ()
    return next((key for key in keys if key in group), None)


def momentum_of(group: dict[str, Any], key: str) -> Any:
    """A group's momentum, by its key."""
    return group[key] if key == "momentum" else group[key][0]


def _has_tensors(group: dict[str, Any], key: str | None) -> bool:
    values = [group["lr"], key and momentum_of(group, key)]
    return any(isinstance(value, Tensor) for value in values)


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
