"""Where the rules set a group's lr, in words: `my.rules:3:7`."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.language.ruleset import Rule, RuleSet, rules_text
from grouper.match.assignment import ParameterAssignment, Setting
from grouper.text.dataclass import replace
from grouper.text.source import Span

MOST_PLACES = 3


def lr_place(members: Iterable[ParameterAssignment], rules: RuleSet) -> str | None:
    """The places that decide the lr of a group's parameters, None where nothing sets it.

    Mostly there is one, `my.rules:3:7`: the option of the rule that set it, or of the `optimizer`
    statement. With multipliers: `my.rules:1:15, multiplied at my.rules:4:9`. Parameters of one
    group may have the same lr from several rules: then each is named, the first three in full.
    """
    distinct = {id(assigned.options): assigned for assigned in members}.values()
    all_places = dict.fromkeys(_place(assigned, rules) for assigned in distinct)
    places = [place for place in all_places if place is not None]
    hidden = len(places) - MOST_PLACES
    more = [f"{hidden} more place{'s' * (hidden != 1)}"] if hidden > 0 else []
    return "; ".join(places[:MOST_PLACES] + more) or None


def _place(assigned: ParameterAssignment, rules: RuleSet) -> str | None:
    settings = [s for s in assigned.settings if s.option.key == "lr" and s.effective]
    setters = [s for s in settings if s.option.operator == "="]
    factors = [s for s in settings if s.option.operator == "*="]
    base = _joined(map(_origin, setters)) or _default(assigned, rules)
    if base is None:
        return None
    return f"{base}, multiplied at {_joined(map(_origin, factors))}" if factors else base


def _origin(setting: Setting) -> str:
    return _written(setting.option.span, setting.rule)


def _default(assigned: ParameterAssignment, rules: RuleSet) -> str | None:
    """The place of the lr in the `optimizer` statement that the parameter goes to."""
    name = assigned.options.get("optimizer")
    for optimizer in rules.optimizers:
        if name in (None, optimizer.key):
            if "lr" not in optimizer.options:
                return None
            span = optimizer.spans.get("lr")
            return span.place if span else f"the default of `optimizer {optimizer.name}`"
    return None


def _written(span: Span | None, rule: Rule) -> str:
    """The place of a rule; one that was made in Python has no place, and stands for itself."""
    if span is not None:
        return span.place
    return f"`{rules_text(RuleSet((replace(rule, split=None),))).strip()}`"


def _joined(places: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(places))
