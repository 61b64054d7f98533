"""The plan as Python code: a function from step to lr and momentum, and what writes them."""

from __future__ import annotations

from dataclasses import dataclass

from grouper.language.ruleset import Schedule
from grouper.reports.python.layout import Brackets, called, lines, literal, mapped, quoted
from grouper.reports.python.schedules import factor_source, needs
from grouper.reports.python.templates import LATE, RAMP, RATES
from grouper.train.group_schedule import GroupSchedule
from grouper.train.plan import Plan


@dataclass(frozen=True)
class PlanCode:
    """What the plan adds to a file: imports of the standard library, constants, functions."""

    imports: tuple[str, ...]
    constants: str
    functions: tuple[str, ...]


def plan_code(plan: Plan) -> PlanCode:
    """The plan's code. Its numbers are grouper's to the last bit, and so is the order of every
    operation."""
    names = _names(plan)
    schedules = {names[_key(course)]: course.schedule for course in plan.groups}
    warms_up = any(course.warmup_steps for course in plan.groups)
    is_late = any(course.curve.lag and _moves(course.schedule) for course in plan.groups)
    factors = [
        factor_source(schedule, name)
        for name, schedule in schedules.items()
        if schedule.name != "constant"
    ]
    return PlanCode(
        tuple(line for schedule in schedules.values() for line in needs(schedule)),
        f"EPOCHS, STEPS_PER_EPOCH = {plan.epochs}, {plan.steps_per_epoch}",
        (
            _plan(plan, names),
            RATES.rstrip(),
            *([RAMP.rstrip()] if warms_up else []),
            *([LATE.rstrip()] if is_late else []),
            *factors,
        ),
    )


def _key(course: GroupSchedule) -> str:
    options = {k: v for k, v in course.schedule.options.items() if k not in ("every", "lag")}
    return f"{course.schedule.name} {sorted(options.items())}"


def _names(plan: Plan) -> dict[str, str]:
    """A name for the function of each schedule: its own, numbered from the second of a kind."""
    names: dict[str, str] = {}
    for course in plan.groups:
        same = sum(key.startswith(f"{course.schedule.name} ") for key in names)
        name = f"{course.schedule.name}_factor" + (f"_{same + 1}" if same else "")
        names.setdefault(_key(course), name)
    return names


def _plan(plan: Plan, names: dict[str, str]) -> str:
    clocks = [course.curve.by_step for course in plan.groups if _moves(course.schedule)]
    groups = [
        mapped(
            f"{quoted(course.name)}: ", _values(course, plan, names[_key(course)]), exploded=True
        )
        for course in plan.groups
    ]
    return "\n".join(
        [
            "def plan(step: int) -> dict[str, dict[str, float]]:",
            '    """lr, and momentum where it has one, of each group at a step, from 0."""',
            "    if step < 0:",
            '        raise ValueError(f"steps are counted from 0, so there is no step {step}")',
            *(["    epoch = step // STEPS_PER_EPOCH"] if not all(clocks) else []),
            *(["    steps = EPOCHS * STEPS_PER_EPOCH"] if any(clocks) else []),
            *lines(mapped("return ", groups, exploded=bool(groups)), 1),
        ]
    )


def _moves(schedule: Schedule) -> bool:
    return schedule.name != "constant"


def _clock(course: GroupSchedule, plan: Plan) -> str:
    """The schedule's time, and the total of it."""
    time, total = ("step", "steps") if course.curve.by_step else ("epoch", "EPOCHS")
    if not course.curve.lag:
        return f"{time}, {total}"
    turn = course.warmup_steps // (1 if course.curve.by_step else plan.steps_per_epoch)
    return f"late({time}, {turn}, {course.curve.lag}), {total}"


def _values(course: GroupSchedule, plan: Plan, name: str) -> list[Brackets | str]:
    lr = literal(course.lr)
    if _moves(course.schedule):
        lr = f"{lr} * {name}({_clock(course, plan)})"
    values = [_value("lr", course, course.start, lr)]
    if course.momentum is not None:
        values.append(_value("momentum", course, course.warmup_momentum, literal(course.momentum)))
    return values


def _value(key: str, course: GroupSchedule, start: float | None, end: str) -> Brackets | str:
    if start is None or not course.warmup_steps:
        return f'"{key}": {end}'
    return called(f'"{key}": ramp', ["step", str(course.warmup_steps), literal(start), end])
