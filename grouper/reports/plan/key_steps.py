"""The steps at which a plan is worth looking at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan

MOST_MILESTONES = 6


@dataclass(frozen=True)
class Moment:
    """A step, and why it is shown."""

    step: int
    words: tuple[str, ...]


def moments(plan: Plan, room: int) -> tuple[Moment, ...]:
    """The start, where warm-ups end, where schedules turn, half and the last step; and as many
    of the quarters and of the epochs that begin within the warm-up as there is `room` for."""
    last = plan.steps - 1
    half = [(plan.steps // 2, "half")] if last > 2 else []
    due = [(0, "start"), *_turns(plan), *half, (last, "last")]
    shown: dict[int, list[str]] = {}
    for step, word in due:
        if 0 <= step <= last and word not in shown.setdefault(step, []):
            shown[step].append(word)
    for step, word in _others(plan):
        if len(shown) < room and 0 < step < last and step not in shown:
            shown[step] = [word]
    return tuple(Moment(step, tuple(words)) for step, words in sorted(shown.items()))


def _turns(plan: Plan) -> Iterator[tuple[int, str]]:
    for length in {course.warmup_steps: None for course in plan.groups if course.warmup_steps}:
        if length < plan.steps:
            yield length, "warm-up ends"
    for course in plan.groups:
        size = 1 if course.curve.by_step else plan.steps_per_epoch
        total = plan.steps if course.curve.by_step else plan.epochs
        end = course.warmup_steps // size  # of the warm-up; behind it, a schedule may be late
        for time, word in _turns_of(course, total):
            time += course.curve.lag if time > end else 0
            if time < total:
                yield time * size, word


def _turns_of(course: GroupSchedule, total: int) -> Iterator[tuple[int, str]]:
    """Where the schedule turns, in its own time."""
    options = course.schedule.options
    if course.schedule.name == "wsd":
        decay = options.get("decay", 0.1)
        assert isinstance(decay, int | float)
        yield math.ceil(total - decay * total), "decay begins"
    if course.schedule.name == "step":
        for time in _few(_milestones(course, total)):
            yield time, "milestone"


def _milestones(course: GroupSchedule, total: int) -> list[int]:
    milestones, size = (course.schedule.options.get(key) for key in ("milestones", "size"))
    if isinstance(milestones, tuple):
        return [m for m in milestones if isinstance(m, int) and 0 < m < total]
    assert isinstance(size, int | float)
    drops = range(1, math.ceil(min(total / size, MOST_MILESTONES)) + 1)
    return [math.ceil(drop * size) for drop in drops if math.ceil(drop * size) < total]


def _few(times: list[int]) -> list[int]:
    """The first ones, and the last."""
    return times if len(times) <= MOST_MILESTONES else [*times[: MOST_MILESTONES - 1], times[-1]]


def _others(plan: Plan) -> Iterator[tuple[int, str]]:
    yield plan.steps // 4, "1/4"
    yield 3 * plan.steps // 4, "3/4"
    for epoch in range(1, min(plan.warmup_steps // plan.steps_per_epoch, 8) + 1):
        yield epoch * plan.steps_per_epoch, f"epoch {epoch}"
