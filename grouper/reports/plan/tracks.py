"""Groups that follow one course, as one track with a mark: what a table and curves show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, product
from string import ascii_lowercase

from grouper.language.syntax import tree
from grouper.options.values import value_text
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


@dataclass(frozen=True)
class Track:
    """Groups whose lr and momentum are the same at every step; `mark` is a letter or two."""

    mark: str
    groups: tuple[str, ...]
    course: GroupSchedule

    @property
    def moves(self) -> bool:
        """Whether momentum changes during the run."""
        course = self.course
        start = course.warmup_momentum if course.warmup_steps else None
        return course.momentum is not None and start not in (None, course.momentum)


def tracks(plan: Plan) -> tuple[Track, ...]:
    """The plan's courses, those of equal values joined, in the order of the groups."""
    joined: dict[object, list[GroupSchedule]] = {}
    for course in plan.groups:
        joined.setdefault((_lr(course), momentum_of(course)), []).append(course)
    return tuple(
        Track(mark, tuple(course.name for course in courses), courses[0])
        for mark, courses in zip(_marks(), joined.values(), strict=False)
    )


def momentum_of(course: GroupSchedule) -> object:
    """What decides a course's momentum, comparable."""
    warm = course.warmup_steps if course.warmup_momentum is not None else 0
    return course.momentum, warm, course.warmup_momentum if warm else None


def described(course: GroupSchedule, plan: Plan) -> str:
    """How long a course's warm-up is, and its schedule, in words."""
    schedule, length = course.schedule, course.warmup_steps
    then = schedule.name + "".join(
        f" {key}={value_text(v)}"
        for key, v in schedule.options.items()
        if not isinstance(v, tree.Node)
    )
    if not length:
        return then
    longer = ", longer than the run" if length >= plan.steps else ""
    return f"warm-up of {length:,} step{'s' * (length != 1)}{longer}, then {then}"


def _lr(course: GroupSchedule) -> object:
    schedule = course.schedule
    warm = course.warmup_steps
    options = repr(sorted(schedule.options.items()))
    return course.lr, warm, course.start if warm else None, schedule.name, options


def _marks() -> Iterator[str]:
    """`a` to `z`, then `aa`, `ab`, ..."""
    for length in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=length))
