"""Merges groups with the same lr and momentum into tracks, which the table and curves show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, product
from string import ascii_lowercase

from grouper.language.syntax import tree
from grouper.options.values import value_text
from grouper.text.dataclass import dataclass
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan

NOTHING_TO_TRAIN = "the rules leave no parameter to train"  # if there are no tracks


@dataclass(frozen=True)
class Track:
    """Groups whose lr and momentum are the same at every step; `mark` is a letter or two."""

    mark: str
    groups: tuple[str, ...]
    schedule: GroupSchedule

    @property
    def moves(self) -> bool:
        """Whether momentum changes during the run."""
        schedule = self.schedule
        start = schedule.warmup_momentum if schedule.warmup_steps else None
        return schedule.momentum is not None and start not in (None, schedule.momentum)


def tracks_of(plan: Plan) -> tuple[Track, ...]:
    """The plan's groups, merged if their values are equal, in the order of the groups."""
    by_values: dict[object, list[GroupSchedule]] = {}
    for group in plan.groups:
        by_values.setdefault((_lr(group), momentum_of(group)), []).append(group)
    return tuple(
        Track(mark, tuple(group.name for group in groups), groups[0])
        for mark, groups in zip(_marks(), by_values.values(), strict=False)
    )


def moving_momentum(tracks: Iterable[Track]) -> list[Track]:
    """One track for each different course of momentum; none if momentum never changes."""
    tracks = [track for track in tracks if track.schedule.momentum is not None]
    if not any(track.moves for track in tracks):
        return []
    unlike: dict[object, Track] = {}
    for track in tracks:
        unlike.setdefault(momentum_of(track.schedule), track)
    return list(unlike.values())


def momentum_of(group: GroupSchedule) -> object:
    """A comparable key for a group's momentum over the run."""
    warm = group.warmup_steps if group.warmup_momentum is not None else 0
    return group.momentum, warm, group.warmup_momentum if warm else None


def described(group: GroupSchedule, plan: Plan) -> str:
    """A description of a group's warm-up and schedule."""
    schedule, length = group.schedule, group.warmup_steps
    then = schedule.name + "".join(
        f" {key}={value_text(v)}"
        for key, v in schedule.options.items()
        if not isinstance(v, tree.Node)
    )
    window = ""
    if group.first or group.end is not None:
        end = "the end" if group.end is None else f"step {group.end:,}"
        window = f", trained from step {group.first:,} to {end}"
    if not length:
        return then + window
    longer = ", longer than the run" if length >= plan.steps else ""
    return f"warm-up of {length:,} step{'s' * (length != 1)}{longer}, then {then}{window}"


def _lr(group: GroupSchedule) -> object:
    """A comparable key for a group's lr over the run."""
    schedule, warm = group.schedule, group.warmup_steps
    options = repr(sorted(schedule.options.items()))
    rise = (group.start, group.warmup_shape) if warm else None
    return group.lr, warm, rise, schedule.name, options, group.first, group.end


def _marks() -> Iterator[str]:
    """`a` to `z`, then `aa`, `ab`, ..."""
    for length in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=length))
