"""Layer-wise learning rates decay the wrong way, exceed the base lr, or assume another depth.

With layer-wise decay, the last layer gets nearly the base lr, each earlier layer gets less, and the
parameters before the first layer get the least. A hard-coded depth fits only one model.

    layers.{i}.* -> layer{i} lr*=0.9 ** i                        # bad: the stem learns fastest
    layers.{i}.* -> layer{i} lr*=0.9 ** (12 - i)                 # bad if there are 24
    layers.{i}.* -> layer{i} lr*=0.9 ** (count(i) - i)           # good
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise

from grouper.checks.context import Context, rule_name
from grouper.checks.covering_paths import covering_paths
from grouper.checks.module_kinds import Kind
from grouper.checks.rule_edits import before, option_of, with_option
from grouper.checks.trained import Trained
from grouper.language.resolve.walk import captures, words
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.options.values import rounded_text
from grouper.text.dataclass import dataclass
from grouper.text.findings import Code, Edit, Finding, Fix, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR319", "layer-rates", Severity.WARNING, __doc__ or "")

STEM = re.compile(r"(^|\.)(stem|patch_embed|embed\w*|\w*embedding\w*|conv1|bn1)(\.|$)")
ROUNDING = 1e-9
MOST_STEPS = 2.5  # between the last layer of the series and the base lr


@dataclass(frozen=True)
class Series:
    """The rates of a rule by its captured number, from the first layer on; `ratio` is the ratio of
    a layer's rate to that of the layer before."""

    rule: Rule
    option: tree.Option
    capture: str
    rates: tuple[float, ...]
    members: tuple[Trained, ...]
    base: float

    @property
    def ratio(self) -> float:
        return self.rates[1] / self.rates[0]


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule with a wrong geometric series of rates, and for a stem above it."""
    all_series = [series for rule in context.rules.rules for series in _series(context, rule)]
    for series in all_series:
        wrong = _wrong(context, series, alone=len(all_series) == 1)
        if wrong is not None:
            yield wrong
        elif series.ratio > 1:
            yield from _stem(context, series)


def _series(context: Context, rule: Rule) -> Iterator[Series]:
    option = option_of(rule, "lr")
    if option is None:
        return
    used = {w.name for w, _ in words(option.value)} & captures(rule.selector)
    if len(used) != 1:
        return
    capture = used.pop()
    rates: dict[int, float] = {}
    members = []
    for one in context.trained:
        match = next((m for m in one.assigned.matches if m.rule is rule), None)
        lr = one.number("lr")
        if match is None or capture not in match.captures or lr is None:
            continue
        if rates.setdefault(match.captures[capture], lr) != lr:
            return
        members.append(one)
    ordered = tuple(rates[number] for number in sorted(rates))
    base = _base(context, members)
    if len(ordered) > 2 and base and _is_geometric(ordered):
        yield Series(rule, option, capture, ordered, tuple(members), base)


def _base(context: Context, members: list[Trained]) -> float | None:
    """The lr of the optimizer's statement, or the highest lr outside of the series."""
    declared = context.optimizers.get(members[0].group.optimizer or "") if members else None
    stated = declared.options.get("lr") if declared is not None else None
    if isinstance(stated, int | float):
        return float(stated)
    inside = {id(one.parameter) for one in members}
    others = [o.number("lr") for o in context.trained if id(o.parameter) not in inside]
    return max((rate for rate in others if rate is not None), default=None)


def _is_geometric(rates: tuple[float, ...]) -> bool:
    if min(rates) <= 0 or rates[0] == rates[1]:
        return False
    steps = [math.log(b / a) for a, b in pairwise(rates)]
    return all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)


def _wrong(context: Context, series: Series, alone: bool) -> Finding | None:
    first, last = rounded_text(series.rates[0]), rounded_text(series.rates[-1])
    name = f"{{{series.capture}}}"
    if series.ratio < 1:
        return _finding(
            context,
            series,
            f"rates decrease towards the output: the first `{name}` trains at {first}, the last at"
            f" {last}: the decay is reversed",
        )
    if series.rates[-1] > series.base * (1 + ROUNDING):
        return _finding(
            context,
            series,
            f"the last `{name}` trains at {last}, above the base rate of"
            f" {rounded_text(series.base)}: the exponent assumes another depth",
        )
    steps = math.log(series.base / series.rates[-1]) / math.log(series.ratio)
    whole = math.isclose(steps, round(steps), abs_tol=1e-3)
    if alone and whole and steps > MOST_STEPS and not _has_between(context, series):
        return _finding(
            context,
            series,
            f"the last `{name}` trains at {last}, {steps:.0f} steps below the base rate of"
            f" {rounded_text(series.base)}: the exponent assumes a deeper model",
        )
    return None


def _has_between(context: Context, series: Series) -> bool:
    """Whether other layers train at rates between the last of the series and the base."""
    rates = (one.number("lr") or 0 for one in context.trained)
    return any(series.rates[-1] * (1 + ROUNDING) < r < series.base * (1 - ROUNDING) for r in rates)


def _finding(context: Context, series: Series, message: str) -> Finding:
    capture = series.capture
    return Finding(
        CODE,
        message,
        labels_at(series.option.span),
        help="use the model's depth instead of a number:"
        f" `** (max({capture}) + 1 - {capture})`, which is `count({capture}) - {capture}` if"
        " layers start at 0",
        candidates=_exponents(context, series),
    )


def _exponents(context: Context, series: Series) -> tuple[Fix, ...]:
    power = _power(series.option.value, series.capture)
    if power is None or power.right.span is None:
        return ()
    capture = series.capture
    text = f"({_deepest(power, capture)} - {capture})"
    own = Edit(power.right.span, text[1:-1] if _in_parentheses(power) else text)
    return ((own, *_other_constants(context, series, power)),)


def _other_constants(context: Context, series: Series, power: tree.Binary) -> Iterator[Edit]:
    """Edits of exponents in the block's other rules that assume the same depth: if `0.9 ** (12 -
    i)` assumes another model, so does `0.9 ** 13` for the embeddings."""
    depth = power.right.left if isinstance(power.right, tree.Binary) else None
    if not isinstance(depth, tree.Number) or power.left.span is None:
        return
    for rule in context.rules.rules:
        option = option_of(rule, "lr")
        other = _power(option.value, None) if option is not None else None
        if other is None or rule is series.rule or rule.split != series.rule.split:
            continue
        same = other.left.span is not None and other.left.span.text == power.left.span.text
        if same and isinstance(other.right, tree.Number) and other.right.span is not None:
            more = int(other.right.value - depth.value)
            if 0 <= more <= 2:
                plus = f" + {more}" if more else ""
                yield Edit(other.right.span, f"({_deepest(power, series.capture)}{plus})")


def _deepest(power: tree.Binary, capture: str) -> str:
    """The expression for the number that an exponent counts down from. Models have an even number
    of layers, so an odd number is the index of the last layer, which gets the base rate."""
    depth = power.right.left if isinstance(power.right, tree.Binary) else None
    if isinstance(depth, tree.Number) and depth.value % 2 == 1:
        return f"max({capture})"
    return f"max({capture}) + 1"


def _in_parentheses(power: tree.Binary) -> bool:
    span = power.right.span
    return span is not None and span.source.text[span.start - 1 : span.start] == "("


def _power(value: tree.Expression, capture: str | None) -> tree.Binary | None:
    """The `a ** b` whose exponent contains the capture, or any `a ** b` if it is None."""
    if isinstance(value, tree.Binary):
        if value.operator == "**" and (
            capture is None or any(w.name == capture for w, _ in words(value.right))
        ):
            return value
        return _power(value.left, capture) or _power(value.right, capture)
    return None


def _stem(context: Context, series: Series) -> Iterator[Finding]:
    """Findings for parameters before the first layer whose rate is above that layer's."""
    order = context.assignment.order
    start = min(order[id(one.parameter)] for one in series.members)
    above: dict[int, tuple[Rule, list[Trained]]] = {}
    for one in context.trained:
        lr = one.number("lr")
        if order[id(one.parameter)] >= start or lr is None or one.parameter.tied:
            continue
        is_stem = one.kind in (Kind.EMBEDDING, Kind.BARE) or STEM.search(one.name)
        floor = series.rates[0] if one.kind is Kind.EMBEDDING else series.base * (1 - ROUNDING)
        rule = _rule_of(one, series)
        if is_stem and rule is not None and lr > series.rates[0] and lr >= floor:
            above.setdefault(id(rule), (rule, []))[1].append(one)
    for rule, members in above.values():
        yield _too_fast(context, series, rule, members)


def _rule_of(one: Trained, series: Series) -> Rule | None:
    """The rule that sets the lr, or else the matching rule in the block of the series."""
    if one.setting("lr") is not None:
        return one.rule("lr")
    same = (m.rule for m in one.assigned.matches if m.rule.split == series.rule.split)
    return next(same, one.rule("lr"))


def _too_fast(context: Context, series: Series, rule: Rule, members: list[Trained]) -> Finding:
    capture, power = series.capture, _power(series.option.value, None)
    decay = power.left.span.text if power is not None and power.left.span is not None else "0.9"
    deepest = f"(max({capture}) - min({capture}) + 2)"
    own = option_of(rule, "lr")
    inner = _power(own.value, None) if own is not None else None
    fixes: list[Fix] = []
    if inner is not None and inner.right.span is not None:
        fixes.append((Edit(inner.right.span, deepest),))
    elif own is None and len(context.matched[id(rule)]) == len(members):
        fixes.append(with_option(rule, f"lr*={decay} ** {deepest}"))
    elif own is None and rule.otherwise:
        patterns = covering_paths(context, members)
        fixes.append(before(rule, f"{' or '.join(patterns)} -> stem lr*={decay} ** {deepest}"))
    return Finding(
        CODE,
        f"{count_phrase(members)} before the first layer"
        f" {'trains' if len(members) == 1 else 'train'} at {rounded_text(members[0].value('lr'))},"
        f" above that layer's {rounded_text(series.rates[0])}:"
        f" `{members[0].name}` ({rule_name(rule)})",
        labels_at((own.span if own is not None else None) or rule.span),
        tuple(one.name for one in members),
        help="parameters before the first layer should have the lowest lr: give them a rule with"
        f" `lr*={decay} ** {deepest}`",
        candidates=tuple(fix for fix in fixes if fix),
    )
