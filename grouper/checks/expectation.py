"""A claim of `expect` does not hold for this model.

It must hold for every value of the label's groups, with a relative tolerance of 1e-9. A label whose
parameters are all frozen has no values, so its claims hold.

    expect head.lr / body.lr in 5..10

`lr(head)` is the lr in a plan. Such a claim is checked when a plan is made: at every step of the
run or, with `after warmup`, at the steps after the warm-ups of its labels and inside their windows.

    expect lr(head) / lr(body) in 5..10 after warmup
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from grouper.checks.context import Context
from grouper.language.arithmetic import FUNCTIONS
from grouper.language.expressions import Scope, as_number, evaluate, holds, label_of
from grouper.language.resolve.labels import could_be, stem
from grouper.language.resolve.walk import attributes, calls
from grouper.language.ruleset import literal
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.options.values import Value, is_number, value_text
from grouper.text.findings import Code, Finding, Severity, labels_at

CODE = Code("GR111", "failed-expectation", Severity.ERROR, __doc__ or "")
ROUNDING = 1e-9
MOST_COMBINATIONS = 10_000


def check(context: Context) -> Iterator[Finding]:
    """One finding for each claim that fails, with its values.

    Claims are not checked if rules conflict or the model is frozen: this is already reported, and
    groups lack options.
    """
    if context.model_is_frozen or any(a.conflicts for a in context.assignment.parameters):
        return
    for expect in context.rules.expects:
        if of_plan(expect):
            continue
        try:
            failure = failure_of(expect.claim, context)
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
    """Whether a claim is about the plan, like `lr(head)`, and so checked at every step of a run."""
    return expect.after_warmup or any(
        call.function not in FUNCTIONS and label_of(call) is None
        for part in parts_of(expect.claim)
        for call in calls(part)
    )


def failure_of(claim: tree.Comparison | tree.Between, context: Context) -> str | None:
    """Why a claim does not hold; None if it holds. Raises BadValue if it has no value."""
    parts = parts_of(claim)
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


def parts_of(claim: tree.Comparison | tree.Between) -> list[tree.Expression]:
    """The expressions that a claim compares."""
    if isinstance(claim, tree.Comparison):
        return [claim.left, claim.right]
    return [claim.value, claim.first, claim.last]


def _values(label: str, key: str, context: Context) -> list[Value]:
    """The distinct values of a key in a label's groups."""
    named = _named(label, context)
    groups = [g for g in context.grouping.groups if g.name == label or named(g.labels)]
    if not groups and any(a.frozen and named(a.labels) for a in context.assignment.parameters):
        return []  # all of its parameters are frozen, so there are no values
    if not groups:
        raise BadValue(f"no group has the label `{label}`", None)
    options = [{**g.options, **g.plan} for g in groups]
    without = next((g.name for g, o in zip(groups, options, strict=True) if key not in o), None)
    if without is not None:
        raise BadValue(f"the group `{without}` has no `{key}`", None)
    return list({repr(o[key]): o[key] for o in options}.values())


def _named(label: str, context: Context) -> Callable[[Iterable[str]], bool]:
    """A test for labels that a word refers to: `block` refers to all of `block{i}`."""
    labels = [rule.label for rule in context.rules.rules if rule.label]
    families = [family for family in labels if stem(family) == label]
    return lambda labels: any(
        name == label or any(could_be(family, name) for family in families) for name in labels
    )


def _filled(
    part: tree.Expression, values: Mapping[tuple[str, str], Value], context: Context
) -> tree.Expression:
    """The expression with attributes, counts and `frozen` replaced by their values."""
    match part:
        case tree.Attribute(label=label, key=key):
            return literal(values[label, key])
        case tree.Word(name="frozen"):
            return tree.Number(len(context.grouping.frozen))
        case tree.Call(function="count" | "numel" as function):
            return tree.Number(_total(function, label_of(part) or "", context))
        case tree.Unary(operator=operator, operand=operand):
            return tree.Unary(operator, _filled(operand, values, context), span=part.span)
        case tree.Binary(operator=operator, left=left, right=right):
            left, right = _filled(left, values, context), _filled(right, values, context)
            return tree.Binary(operator, left, right, span=part.span)
        case tree.Call(function=function, arguments=arguments):
            filled = tuple(_filled(a, values, context) for a in arguments)
            return tree.Call(function, filled, span=part.span)
        case tree.Number() | tree.Constant() | tree.String() | tree.Word():
            return part
        case tree.Subscript() | tree.Tuple() | tree.Configured():
            return part


def _total(function: str, label: str, context: Context) -> int:
    named = _named(label, context)
    groups = [g for g in context.grouping.groups if g.name == label or named(g.labels)]
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
