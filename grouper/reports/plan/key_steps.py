"""The key steps of a plan, which its table and figure show."""

from __future__ import annotations

import math
from collections.abc import Iterator

from grouper.options.schedules import SCHEDULES
from grouper.text.dataclass import dataclass
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


@dataclass(frozen=True)
class KeyStep:
    """A step, and the reasons why it is shown."""

    step: int
    words: tuple[str, ...]


def key_steps(plan: Plan, room: int) -> tuple[KeyStep, ...]:
    """The start, the ends of warm-ups, the turns of schedules, the half and the last step; then,
    up to `room` steps in all, quarters and the starts of epochs within the warm-up."""
    last = plan.steps - 1
    half = [(plan.steps // 2, "half")] if last > 2 else []
    required = [(0, "start"), *_turns(plan), *half, (last, "last")]
    reasons: dict[int, list[str]] = {}
    for step, word in required:
        if 0 <= step <= last and word not in reasons.setdefault(step, []):
            reasons[step].append(word)
    for step, word in _others(plan):
        if len(reasons) < room and 0 < step < last and step not in reasons:
            reasons[step] = [word]
    return tuple(KeyStep(step, tuple(words)) for step, words in sorted(reasons.items()))


def _turns(plan: Plan) -> Iterator[tuple[int, str]]:
    for end in {group.warmup_end: None for group in plan.groups if group.warmup_steps}:
        if end < plan.steps:
            yield end, "warm-up ends"
    for group in plan.groups:
        if group.first:
            yield group.first, "window opens"
        if group.end is not None and group.end < plan.steps:
            yield group.end, "window closes"
        yield from _turns_of(group, plan)


def _turns_of(group: GroupSchedule, plan: Plan) -> Iterator[tuple[int, str]]:
    """The schedule's key times, as steps of the run."""
    curve, size = group.curve, 1 if group.curve.by_step else plan.steps_per_epoch
    kind = SCHEDULES[group.schedule.name]
    whole = plan.steps if curve.by_step else plan.epochs
    end = group.warmup_end / size
    begin = end if curve.after_warmup else 0
    if begin >= whole:
        return
    options = kind.arguments(group.schedule.options)  # type: ignore[arg-type]
    for time, word in kind.key_times(whole - begin, whole, options):
        late = curve.lag if time > end // 1 else 0  # after the warm-up, a schedule may be late
        if begin + time + late < whole:
            yield math.ceil((begin + time + late) * size), word


def _others(plan: Plan) -> Iterator[tuple[int, str]]:
    yield plan.steps // 4, "1/4"
    yield 3 * plan.steps // 4, "3/4"
    for epoch in range(1, min(plan.warmup_steps // plan.steps_per_epoch, 8) + 1):
        yield epoch * plan.steps_per_epoch, f"epoch {epoch}"
