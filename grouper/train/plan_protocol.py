"""What a scheduler needs of a plan."""

from __future__ import annotations

from typing import Protocol

from grouper.train.group_schedule import GroupSchedule


class PlanProtocol(Protocol):
    """lr and momentum of every group at every step of a run; see `grouper.train.plan.Plan`."""

    @property
    def groups(self) -> tuple[GroupSchedule, ...]: ...

    @property
    def steps(self) -> int: ...

    @property
    def steps_per_epoch(self) -> int: ...

    @property
    def epochs(self) -> int: ...

    @property
    def in_steps(self) -> bool: ...

    @property
    def length(self) -> str: ...

    def at(self, step: int) -> dict[str, dict[str, float]]: ...

    def group_at(self, group: GroupSchedule, step: int) -> dict[str, float]: ...
