"""A claim of `expect` does not hold for this model.

It must hold for every value that the groups of a label have, up to rounding (a relative 1e-9). A
label whose parameters are all frozen has no values, so its claims hold.

    expect head.lr / body.lr in 5..10

`lr(head)` is what a plan has, at every step of the run or, `after warmup`, at those that follow the
labels' warm-ups inside their windows. It is held to when a plan is made.

    expect lr(head) / lr(body) in 5..10 after warmup
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Protocol

from grouper.checks.context import Context
from grouper.findings import Code, Finding, Severity, labels_at
from grouper.language.arithmetic import FUNCTIONS
from grouper.language.expressions import Scope, as_number, evaluate, holds, label_of
from grouper.language.resolve.walk import attributes, calls
from grouper.language.ruleset import literal
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.options.values import Value, is_number, value_text

CODE = Code("GR111", "failed-expectation", Severity.ERROR, __doc__ or "")
ROUNDING = 1e-9
MOST_COMBINATIONS = 10_000


def check(context: Context) -> Iterator[Finding]:
    """One finding for each claim that fails, with the values that it had.

    None where rules conflict, or the model is frozen: that is reported already, and groups lack
    options then.
    """
    if context.model_is_frozen or any(a.conflicts for a in context.assignment.parameters):
        return
    for expect in context.rules.expects:
        if of_plan(expect):
            continue
        try:
            failure = _failure(expect.claim, context)
        except BadValue as error:
            failure = error.message
        if failure is not None:
            yield Finding(
                CODE,
                f"a claim does not hold: {failure}",
                labels_at(expect.span),
                help="change the rules, or the claim",
            )


def of_plan(expect: tree.Expect) -> bool:
    """Whether a claim is about the plan, as `lr(head)` is: a run is checked at every step."""
    return expect.after_warmup or any(
        call.function not in FUNCTIONS and label_of(call) is None
        for part in _parts(expect.claim)
        for call in calls(part)
    )


def _failure(claim: tree.Comparison | tree.Between, context: Context) -> str | None:
    parts = _parts(claim)
    named = list(dict.fromkeys((a.label, a.key) for part in parts for a in attributes(part)))
    choices = [_values(label, key, context) for label, key in named]
    for i, combination in enumerate(product(*choices)):
        if i >= MOST_COMBINATIONS:
            return f"it has more than {MOST_COMBINATIONS:,} combinations of values to check"
        claimed = dict(zip(named, combination, strict=True))
        values = [
            evaluate(_filled(part, claimed, context), Scope(context.rules.variables))
            for part in parts
        ]
        if not _holds(claim, values):
            what = [
                f"`{label}.{key}` is {value_text(value)}" for (label, key), value in claimed.items()
            ]
            what = what or [f"the value is {value_text(values[0])}"]
            if len(named) > 1 and is_number(values[0]):
                what.append(f"the value is {value_text(values[0])}")
            return ", ".join(what)
    return None


def _parts(claim: tree.Comparison | tree.Between) -> list[tree.Expression]:
    if isinstance(claim, tree.Comparison):
        return [claim.left, claim.right]
    return [claim.value, claim.first, claim.last]


def _values(label: str, key: str, context: Context) -> list[Value]:
    """The values of a key over a label's groups, each once."""
    groups = [g for g in context.grouping.groups if label in g.labels or g.name == label]
    if not groups and any(label in a.labels and a.frozen for a in context.assignment.parameters):
        return []  # all of its parameters are frozen: there is no value to make a claim about
    if not groups:
        raise BadValue(f"no group has the label `{label}`", None)
    options = [{**g.options, **g.plan} for g in groups]
    without = next((g.name for g, o in zip(groups, options, strict=True) if key not in o), None)
    if without is not None:
        raise BadValue(f"the group `{without}` has no `{key}`", None)
    return list({repr(o[key]): o[key] for o in options}.values())


def _filled(
    part: tree.Expression, given: Mapping[tuple[str, str], Value], context: Context
) -> tree.Expression:
    """An expression with its attributes, counts and `frozen` replaced by their values."""
    match part:
        case tree.Attribute(label=label, key=key):
            return literal(given[label, key])
        case tree.Word(name="frozen"):
            return tree.Number(len(context.grouping.frozen))
        case tree.Call(function="count" | "numel" as function):
            return tree.Number(_total(function, label_of(part) or "", context))
        case tree.Unary(operator=operator, operand=operand):
            return tree.Unary(operator, _filled(operand, given, context), span=part.span)
        case tree.Binary(operator=operator, left=left, right=right):
            left, right = _filled(left, given, context), _filled(right, given, context)
            return tree.Binary(operator, left, right, span=part.span)
        case tree.Call(function=function, arguments=arguments):
            filled = tuple(_filled(a, given, context) for a in arguments)
            return tree.Call(function, filled, span=part.span)
    return part


def _total(function: str, label: str, context: Context) -> int:
    groups = [g for g in context.grouping.groups if label in g.labels or g.name == label]
    members = [p for group in groups for p in group.parameters]
    return len(members) if function == "count" else sum(p.numel or 0 for p in members)


def _holds(claim: tree.Comparison | tree.Between, values: list[Value]) -> bool:
    if isinstance(claim, tree.Between):
        value, first, last = (as_number(v, claim) for v in values)
        slack = ROUNDING * max(abs(value), abs(first), abs(last))
        return first - slack <= value <= last + slack
    left, right = values
    if is_number(left) and is_number(right):
        assert isinstance(left, int | float)
        assert isinstance(right, int | float)
        close = abs(left - right) <= ROUNDING * max(abs(left), abs(right))
        if close:
            return claim.operator in ("==", "<=", ">=")
    return holds(left, claim.operator, right, claim)


class CourseGroup(Protocol):
    """What a plan has of a group, as far as claims ask for it."""

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


def check_plan(context: Context, course: Course) -> Iterator[Finding]:
    """One finding for each claim about the plan that fails at some step: the first of them, and how
    many there are."""
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
Scheduled = tuple[str, str]  # a label, and the option that the plan has of it


def _failure_in_plan(
    expect: tree.Expect, context: Context, course: Course, curves: Curves
) -> str | None:
    parts = _parts(expect.claim)
    asked = list(dict.fromkeys(s for part in parts for s in _scheduled(part)))
    lines = {each: _lines(each, context, course, curves) for each in asked}
    if not all(lines.values()):
        return None  # of a label that is frozen nothing is claimed
    named = [label for label, _ in asked] + [a.label for part in parts for a in attributes(part)]
    steps: Sequence[int] = range(course.steps)
    if expect.after_warmup:
        groups = [g for label in named for g in _groups(label, context, course)]
        due = [all(s > g.warmup_end and g.trains_at(s) for g in groups) for s in steps]
        steps = [step for step in steps if due[step]]
    if not steps:
        return "no step of the run is left for it"
    known: dict[object, str | None] = {}
    failed, first = 0, None
    for step in steps:
        values = {each: tuple(dict.fromkeys(line[step] for line in lines[each])) for each in asked}
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
    """Why a claim fails at a step, with the values that the plan has there."""
    for combination in product(*values.values()):
        given = dict(zip(values, combination, strict=True))
        filled = [_with_plan(part, given) for part in _parts(claim)]
        now = (
            tree.Comparison(filled[0], claim.operator, filled[1], span=claim.span)
            if isinstance(claim, tree.Comparison)
            else tree.Between(*filled, span=claim.span)
        )
        try:
            failure = _failure(now, context)
        except BadValue as error:
            failure = error.message
        if failure is not None:
            what = [f"`{key}({label})` is {v:.6g}" for (label, key), v in given.items()]
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
    raise BadValue(f"`{call.function}(...)` takes one label", call.span)


def _lines(
    asked: Scheduled, context: Context, course: Course, curves: Curves
) -> list[Sequence[float]]:
    """The values of an option over the run, one line for each group of a label."""
    label, key = asked
    lines: list[Sequence[float]] = []
    for group in _groups(label, context, course):
        known = curves[group.name].get(key)
        if known is None:
            raise BadValue(f"the plan has no `{key}` of the group `{group.name}`", None)
        lines.append(known)
    if not lines:
        _values(label, key, context)  # which knows whether it is frozen, or not there
    return lines


def _groups(label: str, context: Context, course: Course) -> list[CourseGroup]:
    names = {group.name for group in context.grouping.groups if group.called(label)}
    return [group for group in course.groups if group.name in names]


def _with_plan(part: tree.Expression, given: Mapping[Scheduled, float]) -> tree.Expression:
    """An expression in which numbers stand for what the plan has."""
    match part:
        case tree.Call(function=function) if function not in FUNCTIONS and label_of(part) is None:
            return tree.Number(given[_of_plan(part)])
        case tree.Call(function=function, arguments=arguments):
            return tree.Call(
                function, tuple(_with_plan(a, given) for a in arguments), span=part.span
            )
        case tree.Unary(operator=operator, operand=operand):
            return tree.Unary(operator, _with_plan(operand, given), span=part.span)
        case tree.Binary(operator=operator, left=left, right=right):
            left, right = _with_plan(left, given), _with_plan(right, given)
            return tree.Binary(operator, left, right, span=part.span)
    return part
