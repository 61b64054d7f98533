"""Checks claims about a plan, `expect lr(head) / lr(body) in 5..10`, at every step of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Protocol

from grouper.checks.context import Context
from grouper.checks.expectation import CODE, failure_of, of_plan, parts_of
from grouper.language.arithmetic import FUNCTIONS
from grouper.language.expressions import label_of
from grouper.language.resolve.walk import attributes, calls
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.text.findings import Finding, labels_at


class CourseGroup(Protocol):
    """The part of a plan's group that claims need."""

    @property
    def name(self) -> str: ...
    @property
    def warmup_end(self) -> int: ...
    def trains_at(self, step: int) -> bool: ...


class Course(Protocol):
    """The values of every group at every step of a run: a plan."""

    @property
    def steps(self) -> int: ...
    @property
    def groups(self) -> Sequence[CourseGroup]: ...
    def over(self, steps: Iterable[int]) -> Mapping[str, Mapping[str, Sequence[float]]]: ...


def findings(context: Context, course: Course) -> Iterator[Finding]:
    """One finding for each claim about the plan that fails, with the first failing step and the
    number of others."""
    claims = [expect for expect in context.rules.expects if of_plan(expect)]
    curves = course.over(range(course.steps)) if claims else {}
    for expect in claims:
        try:
            failure = _failure_in_plan(expect, context, course, curves)
        except BadValue as error:
            failure = error.message
        if failure is not None:
            message = f"a claim about the plan does not hold: {failure}"
            help = "change the rules, or the claim"
            yield Finding(CODE, message, labels_at(expect.span), help=help)


Curves = Mapping[str, Mapping[str, Sequence[float]]]
Scheduled = tuple[str, str]  # a label, and an option in the plan


def _failure_in_plan(
    expect: tree.Expect, context: Context, course: Course, curves: Curves
) -> str | None:
    parts = parts_of(expect.claim)
    scheduled = list(dict.fromkeys(s for part in parts for s in _scheduled(part)))
    lines = {each: _lines(each, context, course, curves) for each in scheduled}
    if not all(lines.values()):
        return None  # claims about a frozen label hold
    named = [label for label, _ in scheduled] + [
        a.label for part in parts for a in attributes(part)
    ]
    steps: Sequence[int] = range(course.steps)
    if expect.after_warmup:
        groups = [g for label in named for g in _groups(label, context, course)]
        is_included = [all(s > g.warmup_end and g.trains_at(s) for g in groups) for s in steps]
        steps = [step for step in steps if is_included[step]]
    if not steps:
        return "no step of the run is after warm-up and inside the windows"
    known: dict[object, str | None] = {}
    failed, first = 0, None
    for step in steps:
        values = {
            each: tuple(dict.fromkeys(line[step] for line in lines[each])) for each in scheduled
        }
        key = tuple(values.values())
        if key not in known:
            known[key] = _failure_at(expect.claim, values, context)
        if known[key] is not None:
            failed += 1
            first = first or f"at step {step}, {known[key]}"
    more = f", and at {failed - 1:,} more steps" if failed > 1 else ""
    return f"{first}{more}" if first else None


def _failure_at(
    claim: tree.Comparison | tree.Between,
    values: Mapping[Scheduled, tuple[float, ...]],
    context: Context,
) -> str | None:
    """Why a claim fails at a step, with the values of the plan at that step."""
    for combination in product(*values.values()):
        plan_values = dict(zip(values, combination, strict=True))
        filled = [_with_plan(part, plan_values) for part in parts_of(claim)]
        now = (
            tree.Comparison(filled[0], claim.operator, filled[1], span=claim.span)
            if isinstance(claim, tree.Comparison)
            else tree.Between(*filled, span=claim.span)
        )
        try:
            failure = failure_of(now, context)
        except BadValue as error:
            failure = error.message
        if failure is not None:
            what = [f"`{key}({label})` is {v:.6g}" for (label, key), v in plan_values.items()]
            return ", ".join([*what, failure])
    return None


def _scheduled(part: tree.Expression) -> Iterator[Scheduled]:
    for call in calls(part):
        if call.function not in FUNCTIONS and label_of(call) is None:
            yield _of_plan(call)


def _of_plan(call: tree.Call) -> Scheduled:
    """The label and the option of `lr(head)`."""
    match call.arguments:
        case (tree.Word(name=label) | tree.String(value=label),):
            return label, call.function
        case _:
            pass
    raise BadValue(f"`{call.function}(...)` takes one label", call.span)


def _lines(
    scheduled: Scheduled, context: Context, course: Course, curves: Curves
) -> list[Sequence[float]]:
    """The values of an option over the run, one line for each group of a label; none if all of its
    parameters are frozen."""
    label, key = scheduled
    lines: list[Sequence[float]] = []
    for group in _groups(label, context, course):
        known = curves[group.name].get(key)
        if known is None:
            raise BadValue(f"the plan has no `{key}` of the group `{group.name}`", None)
        lines.append(known)
    return lines


def _groups(label: str, context: Context, course: Course) -> list[CourseGroup]:
    names = {group.name for group in context.grouping.groups if group.called(label)}
    return [group for group in course.groups if group.name in names]


def _with_plan(part: tree.Expression, values: Mapping[Scheduled, float]) -> tree.Expression:
    """The expression with the values of the plan as numbers."""
    match part:
        case tree.Call(function=function) if function not in FUNCTIONS and label_of(part) is None:
            return tree.Number(values[_of_plan(part)])
        case tree.Call(function=function, arguments=arguments):
            return tree.Call(
                function, tuple(_with_plan(a, values) for a in arguments), span=part.span
            )
        case tree.Unary(operator=operator, operand=operand):
            return tree.Unary(operator, _with_plan(operand, values), span=part.span)
        case tree.Binary(operator=operator, left=left, right=right):
            left, right = _with_plan(left, values), _with_plan(right, values)
            return tree.Binary(operator, left, right, span=part.span)
        case tree.Number() | tree.Constant() | tree.String() | tree.Word() | tree.Attribute():
            return part
        case tree.Subscript() | tree.Tuple() | tree.Configured():
            return part
