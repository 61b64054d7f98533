"""From the groups to the plan: what each group's lr and momentum follow."""

from __future__ import annotations

import math
from collections.abc import Mapping

from grouper.group.grouping import Group, Grouping
from grouper.language.ruleset import RuleSet, Schedule, Warmup
from grouper.options.schedules import SCHEDULES
from grouper.options.signatures import signature
from grouper.options.values import Value
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


def plan_of(rules: RuleSet, grouping: Grouping, steps_per_epoch: int, epochs: int) -> Plan:
    """The plan of a grouping. Raises ValueError where a group has no lr or one that grows beyond
    all numbers, and where a count is not positive."""
    if steps_per_epoch < 1 or epochs < 1:
        raise ValueError("a run has at least one epoch of at least one step")
    courses = tuple(_course(rules, group, steps_per_epoch) for group in grouping.groups)
    plan = Plan(courses, steps_per_epoch, epochs)
    for course in courses:
        _refuse_overflow(course, plan)
    return plan


def _refuse_overflow(course: GroupSchedule, plan: Plan) -> None:
    """A schedule that grows (`gamma` or `final` above 1) does so to the end of the run."""
    time = plan.steps if course.by_step else plan.epochs
    if not math.isfinite(course.lr * course.factor(time, time)):
        options = course.schedule.options
        grows = " ".join(f"{key}={options[key]}" for key in ("gamma", "final") if key in options)
        raise ValueError(
            f"the lr of the group `{course.name}` grows beyond all numbers within {time}"
            f" {'steps' if course.by_step else 'epochs'} of `schedule {course.schedule.name}"
            f" {grows}`"
        )


def _course(rules: RuleSet, group: Group, steps_per_epoch: int) -> GroupSchedule:
    warmup, given = rules.warmup or Warmup(), group.plan
    warmup_momentum = _momentum(given.get("warmup_momentum", warmup.momentum))
    options = group.options
    if warmup_momentum is not None and not options.keys() & {"momentum", "betas"}:
        options = _momentum_by_default(rules, group)
    momentum, betas = options.get("momentum"), options.get("betas")
    if momentum is None and isinstance(betas, tuple) and betas:
        momentum = betas[0]
    return GroupSchedule(
        group.name,
        _lr(group),
        _length(warmup, given, steps_per_epoch),
        _number(given.get("warmup_start"), warmup.start),
        None if momentum is None else _number(momentum, 0.0),
        warmup_momentum,
        "momentum" not in options and betas is not None,
        _schedule(rules.schedule or Schedule(), given),
        tuple(parameter.name for parameter in group.parameters),
        group.place,
    )


def _momentum_by_default(rules: RuleSet, group: Group) -> Mapping[str, Value]:
    """The momentum or the betas that an optimizer of torch has where the rules say none. A momentum
    of 0 is none: there is nothing to warm up."""
    declared = rules.optimizers_by_name
    chosen = declared.get(group.optimizer or "")
    known = signature(chosen.name) if chosen else None
    defaults = known.defaults if known else {}
    return {key: defaults[key] for key in ("momentum", "betas") if defaults.get(key)}


def _lr(group: Group) -> float:
    lr = group.options.get("lr")
    if isinstance(lr, bool) or not isinstance(lr, int | float):
        raise ValueError(
            f"the group `{group.name}` has no `lr`, so there is nothing to plan: set it in a rule,"
            " or for all groups in the `optimizer` statement"
        )
    return float(lr)


def _length(warmup: Warmup, given: Mapping[str, Value], steps_per_epoch: int) -> int:
    """A group's own steps or epochs before the file's; `min_steps` bounds what is in epochs."""
    if given.get("warmup_steps") is not None:
        return round(_number(given["warmup_steps"], 0))
    epochs = given.get("warmup_epochs")
    if epochs is None:
        if warmup.steps is not None:
            return warmup.steps
        epochs = warmup.epochs
    if epochs is None:
        return warmup.min_steps
    steps = _number(epochs, 0) * steps_per_epoch
    if not math.isfinite(steps):
        raise ValueError(f"a warm-up of {epochs} epochs is longer than anything can be counted")
    return max(round(steps), warmup.min_steps)


def _schedule(schedule: Schedule, given: Mapping[str, Value]) -> Schedule:
    """The group's own schedule; `every`, `lag` and `final` go along where it has them, too."""
    name = str(given.get("schedule", schedule.name))
    options: dict[str, Value] = dict(schedule.options)
    if name != schedule.name:
        options = {key: options[key] for key in ("every", "lag", "final") if key in options}
    if "final" in given:
        options["final"] = given["final"]
        if name == "exponential":
            options.pop("gamma", None)  # `final` says the same in another way
    return Schedule(name, {k: v for k, v in options.items() if k in SCHEDULES[name]})


def _momentum(value: Value) -> float | None:
    return None if value is None else _number(value, 0.0)


def _number(value: Value, default: float) -> float:
    return float(value if isinstance(value, int | float) else default)
