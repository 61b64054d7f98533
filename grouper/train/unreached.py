"""Which groups of a plan never reach their lr."""

from __future__ import annotations

from collections.abc import Iterator

from grouper.text.dataclass import dataclass
from grouper.train.curve import Run
from grouper.train.group_schedule import GroupSchedule

LEAST_SHARE = 0.5  # of the lr, when the warm-up ends


@dataclass(frozen=True)
class Unreached:
    """A group that does not reach its `lr`: it has `reached` at `step`.

    That step is the last one that it trains at, where that lies `inside` its warm-up; else the one
    at which its warm-up ends.
    """

    group: str
    lr: float
    reached: float
    step: int
    warmup_steps: int
    inside: bool


def unreached(groups: tuple[GroupSchedule, ...], run: Run) -> Iterator[Unreached]:
    """The groups that train for the last time inside their warm-up, and those whose schedule has
    gone below half of where it began before the warm-up ends.

    A schedule that was low already when the group's window opened is meant so, and counts from
    there.
    """
    for group in groups:
        if not group.warmup_steps or group.start == group.lr:
            continue
        last = min(run.steps, group.end or run.steps) - 1
        inside = last < group.warmup_end
        step = last if inside else group.warmup_end
        reached = group.lr_at(step, run)
        if inside or abs(reached) < LEAST_SHARE * abs(_full(group, run)):
            yield Unreached(group.name, group.lr, reached, step, group.warmup_steps, inside)


def _full(group: GroupSchedule, run: Run) -> float:
    """The schedule's lr when the group begins to train."""
    return group.lr * group.curve.at(group.first, run, group.warmup_end)
