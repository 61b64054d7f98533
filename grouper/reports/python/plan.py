"""The plan as Python code: functions that compute lr and momentum of a step and set them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from grouper.options.schedules import SCHEDULES
from grouper.reports.python.layout import Brackets, Code, called, lines, literal, mapped, quoted
from grouper.reports.python.schedules import factor_arguments, factor_source, imports_of
from grouper.reports.python.templates import FORGETTING, LATE, OTHER_RATES, RAMP, RATES
from grouper.text.dataclass import dataclass
from grouper.train.curve import Curve
from grouper.train.group_schedule import GroupSchedule, interpolate, warmed_up
from grouper.train.plan import Plan


@dataclass(frozen=True)
class PlanCode:
    """What the plan adds to a file: standard library imports, constants, functions."""

    imports: tuple[str, ...]
    constants: str
    functions: tuple[str, ...]


def plan_code(plan: Plan) -> PlanCode:
    """The plan's code. It performs the same operations as grouper in the same order, so its numbers
    are equal to the last bit."""
    curves = [curve for group in plan.groups for curve in _curves(group)]
    moving = [curve for curve in curves if _moves(curve)]
    factors = [factor_source(name) for name in dict.fromkeys(c.schedule.name for c in moving)]
    others = any(o.key != "momentum" for group in plan.groups for o in group.options)
    ramps, forgets = list(_ramps(plan)), _forgets(plan)
    rates = RATES.replace(*OTHER_RATES) if others else RATES
    return PlanCode(
        imports_of("".join((*factors, *ramps))),
        "\n".join([f"EPOCHS, STEPS_PER_EPOCH = {plan.epochs}, {plan.steps_per_epoch}", *forgets]),
        (
            _plan(plan, moving),
            (rates.replace(*FORGETTING) if forgets else rates).rstrip(),
            *ramps,
            *([LATE.rstrip()] if any(curve.lag for curve in moving) else []),
            *factors,
        ),
    )


def _forgets(plan: Plan) -> list[str]:
    """The steps at which a group's state is dropped: where its window opens or closes."""
    turns = {
        group.name: [step for step in (group.first, group.end) if step] for group in plan.groups
    }
    entries = [f"{quoted(name)}: {literal(tuple(steps))}" for name, steps in turns.items() if steps]
    return lines(mapped("FORGETS = ", entries), 0) if entries else []


def _curves(group: GroupSchedule) -> list[Curve]:
    return [group.curve, *(option.curve for option in group.options)]


def _moves(curve: Curve) -> bool:
    return SCHEDULES[curve.schedule.name].moves


def _ramps(plan: Plan) -> Iterator[str]:
    """The warm-up functions: the linear one, and the general one if there are other shapes."""
    shapes = {group.warmup_shape for group in plan.groups if group.warmup_steps}
    if "linear" in shapes:
        yield RAMP.rstrip()
    if shapes - {"linear"}:
        yield inspect.getsource(warmed_up).rstrip()
        yield inspect.getsource(interpolate).rstrip()


def _plan(plan: Plan, moving: list[Curve]) -> str:
    clocks = [curve.by_step for curve in moving]
    factors = _Factors(plan)
    groups = [
        mapped(f"{quoted(group.name)}: ", _values(group, factors), exploded=True)
        for group in plan.groups
    ]
    return "\n".join(
        [
            "def plan(step: int) -> dict[str, dict[str, float]]:",
            '    """The lr of each group at a step, counted from 0, and its momentum if any."""',
            "    if step < 0:",
            '        raise ValueError(f"steps are counted from 0, so there is no step {step}")',
            *(["    epoch = step // STEPS_PER_EPOCH"] if not all(clocks) else []),
            *(["    steps = EPOCHS * STEPS_PER_EPOCH"] if any(clocks) else []),
            *(line for row in factors.rows() for line in lines(row, 1)),
            *lines(mapped("return ", groups, exploded=bool(groups)), 1),
        ]
    )


class _Factors:
    """The factors of a step, with one variable for each distinct factor."""

    def __init__(self, plan: Plan) -> None:
        self._run = plan.run
        self._names: dict[tuple[str, tuple[Code, ...]], str] = {}

    def name(self, curve: Curve, warmup_end: int) -> str:
        """The variable for a curve's factor: `linear_now`, or `linear_now_2` for a second one."""
        schedule = curve.schedule.name
        key = schedule, factor_arguments(curve, warmup_end, self._run)
        number = 1 + sum(other == schedule for other, _ in self._names)
        base = f"{schedule}_now"
        return self._names.setdefault(key, base if number == 1 else f"{base}_{number}")

    def rows(self) -> list[Brackets]:
        return [
            called(f"{name} = {schedule}_factor", list(arguments))
            for (schedule, arguments), name in self._names.items()
        ]


def _values(group: GroupSchedule, factors: _Factors) -> list[Brackets | str]:
    values = [_lr(group, factors)]
    scheduled = {option.key: option for option in group.options}
    if group.momentum is not None:
        option = scheduled.pop("momentum", None)
        end = literal(group.momentum)
        if option is not None:
            end = _product(option.value, option.curve, group, factors)
        values.append(_momentum(group, end))
    for key, option in scheduled.items():
        product = _product(option.value, option.curve, group, factors)
        values.append(f"{quoted(key)}: {product}")
    return values


def _product(value: float, curve: Curve, group: GroupSchedule, factors: _Factors) -> str:
    if not _moves(curve):
        return literal(value)
    return f"{literal(value)} * {factors.name(curve, group.warmup_end)}"


def _lr(group: GroupSchedule, factors: _Factors) -> Brackets | str:
    lr = _product(group.lr, group.curve, group, factors)
    if group.curve.after_warmup and _moves(group.curve) and group.warmup_steps:
        lr = f"{literal(group.lr)} if step <= {group.warmup_end} else {lr}"
    ramp = _ramp(group, _within(group), group.start, lr)
    if group.end is None and not group.first:
        return called(f'"lr": {ramp[0]}', ramp[1]) if ramp else f'"lr": {lr}'
    inside = f"{ramp[0]}({', '.join(ramp[1])})" if ramp else f"({lr})"
    end = "" if group.end is None else f" < {group.end}"
    return f'"lr": {inside} if {group.first} <= step{end} else 0.0'


def _momentum(group: GroupSchedule, end: str) -> Brackets | str:
    if group.warmup_momentum is None:
        return f'"momentum": {end}'
    ramp = _ramp(group, _within(group), group.warmup_momentum, end)
    return called(f'"momentum": {ramp[0]}', ramp[1]) if ramp else f'"momentum": {end}'


def _within(group: GroupSchedule) -> str:
    """The step of the warm-up: counted from the window's first step, constant after its last."""
    step = "step" if group.end is None else f"min(step, {group.end - 1})"
    return f"{step} - {group.first}" if group.first else step


def _ramp(group: GroupSchedule, step: str, start: float, end: str) -> tuple[str, list[str]] | None:
    """The warm-up function and its arguments; None if there is no warm-up."""
    if not group.warmup_steps:
        return None
    arguments = [step, str(group.warmup_steps), literal(start), end]
    if group.warmup_shape == "linear":
        return "ramp", arguments
    return "warmed_up", [*arguments, quoted(group.warmup_shape)]
