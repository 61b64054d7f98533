"""Translates the keys of other tools, in words and as an edit."""

from __future__ import annotations

from grouper.checks.context import Context
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import expression_text
from grouper.options.foreign import FOREIGN, Translation
from grouper.options.plan_keys import PLAN_KEYS
from grouper.options.schedules import SCHEDULES
from grouper.options.schedules.schedule_type import SHARED
from grouper.options.values import value_text
from grouper.text.findings import Edit, Fix
from grouper.text.source import Span

_FACTORS = ("lr", "weight_decay")


def translation(key: str, rules: RuleSet) -> Translation | None:
    """The equivalent of another tool's key, or of an option of a schedule, which belongs in the
    schedule's parentheses; None for other keys."""
    if key in PLAN_KEYS:
        return None
    schedule = SCHEDULES.get(rules.schedule.name) if rules.schedule else None
    if schedule is not None and key in schedule.options:
        return _inside(key, schedule.name)
    foreign = FOREIGN.get(key) or FOREIGN.get(key.lower())
    if foreign is not None:
        return foreign
    takers = [name for name, kind in SCHEDULES.items() if key in kind.options]
    if not takers:
        return None
    return _inside(key, takers[0] if key in SCHEDULES[takers[0]].own else "cosine")


def _inside(key: str, schedule: str) -> Translation:
    text = f"schedule={schedule}({key}=...)"
    return Translation(f"in a rule, options of a schedule go in its parentheses: `{text}`")


def in_parentheses(context: Context, option: tree.Option) -> tuple[Fix, ...]:
    """The option replaced by the file's schedule with this option in parentheses."""
    schedule, value = context.rules.schedule, option.value.span
    if schedule is None or option.span is None or value is None or option.operator != "=":
        return ()
    if option.key not in SCHEDULES[schedule.name].options:
        return ()
    options = {
        key: expression_text(known) if isinstance(known, tree.Node) else value_text(known)
        for key, known in schedule.options.items()
        if key not in SHARED
    } | {option.key: value.text}
    inside = ", ".join(f"{key}={text}" for key, text in options.items())
    return ((Edit(option.span, f"schedule={schedule.name}({inside})"),),)


def edit_in_rule(rules: RuleSet, rule: Rule, option: tree.Option) -> tuple[Edit, ...]:
    """The edit that translates an option of a rule, if its value can be kept."""
    foreign, place, value = translation(option.key, rules), option.span, option.value.span
    if foreign is None or place is None or value is None or option.operator != "=":
        return ()
    if _means_frozen(option):
        return _freeze(rule)
    if foreign.key is None or any(other.key == foreign.key for other in rule.options):
        return ()
    if (
        foreign.operator == "*="
        and isinstance(option.value, tree.Number)
        and not option.value.value
    ):
        return (Edit(place, f"{foreign.key}=0"),)
    return (Edit(place, f"{foreign.key}{foreign.operator}{_value(option.value, foreign)}"),)


def second_optimizer(context: Context, option: tree.Option) -> tuple[Fix, ...]:
    """For `use_muon=true`: declares a second optimizer and replaces the key by `optimizer=`."""
    first = next(iter(context.rules.optimizers), None)
    if "muon" not in option.key.lower() or first is None or first.span is None:
        return ()
    declared = [o.key for o in context.rules.optimizers if "Muon" in o.name]
    name = declared[0] if declared else "muon"
    edits = []
    end = Span(first.span.source, first.span.end, first.span.end)
    for rule in context.rules.rules:
        for other in rule.options:
            if other.key == option.key and other.span is not None:
                uses_muon = isinstance(other.value, tree.Constant) and other.value.value is True
                edits.append(Edit(other.span, f"optimizer={name}" if uses_muon else ""))
    return ((*edits,) if declared else (Edit(end, "\noptimizer Muon as muon lr=0.02"), *edits),)


def _means_frozen(option: tree.Option) -> bool:
    """`requires_grad=false`, `trainable=false`, `frozen=true`."""
    says = isinstance(option.value, tree.Constant)
    negative = option.key.lower() in ("requires_grad", "require_grad", "trainable", "train")
    positive = option.key.lower() in ("frozen", "freezed", "is_frozen")
    return says and option.value.value is (False if negative else True if positive else None)  # type: ignore[union-attr]


def _freeze(rule: Rule) -> tuple[Edit, ...]:
    """All options of the rule replaced by `freeze`, which cannot have others beside it."""
    spans = [option.span for option in rule.options if option.span is not None]
    first, last = min(s.start for s in spans), max(s.end for s in spans)
    return (Edit(Span(spans[0].source, first, last), "freeze"),)


def _value(value: tree.Expression, foreign: Translation) -> str:
    text = value.span.text if value.span is not None else ""
    simple = isinstance(value, tree.Number | tree.Word | tree.Constant | tree.String)
    return (text if simple or not foreign.suffix else f"({text})") + foreign.suffix
