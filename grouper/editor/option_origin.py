"""Describes an option: its meaning, and the parameters for which it takes effect."""

from __future__ import annotations

from collections import Counter

from grouper.editor import words
from grouper.editor.document import Document
from grouper.editor.markdown import code
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.match.assignment import ParameterAssignment, Setting
from grouper.match.derivation.derive import Deriver
from grouper.options.kinds import Constraint
from grouper.options.plan_keys import PLAN, WARMUP
from grouper.options.schedules import SCHEDULES
from grouper.options.torch_values import KINDS
from grouper.options.values import value_text
from grouper.text.printable import count_phrase

MOST_VALUES = 6


def option_text(document: Document, statement: tree.Statement, option: tree.Option) -> str:
    """What a key means, and the effect of this option on each model."""
    parts = [f"{code(option.key)}: {key_text(statement, option.key)}".rstrip(": ")]
    if isinstance(statement, tree.Rule):
        for model in document.reports:
            if model.report.assignment is not None:
                assigned = model.report.assignment.parameters
                deriver = Deriver(model.report.assignment)
                parts += _outcome(option, assigned, model.name, deriver)
    return "\n\n".join(parts)


def key_text(statement: tree.Statement | str, key: str) -> str:
    """What a key means and what its value must be, if known."""
    word = statement if isinstance(statement, str) else type(statement).__name__.lower()
    meaning = words.OPTIONS.get(key, "")
    constraint = _constraint(word, key)
    value = f"It is {constraint[0]}." if constraint is not None else ""
    return f"{meaning} {value}".strip()


def _constraint(word: str, key: str) -> Constraint | None:
    if word == "warmup":
        return WARMUP[key][0] if key in WARMUP else None
    if word == "schedule":
        constraints = [kind.options[key][0] for kind in SCHEDULES.values() if key in kind.options]
        return constraints[0] if constraints else None
    return PLAN.get(key) or KINDS.get(key)


def _outcome(
    option: tree.Option, assigned: tuple[ParameterAssignment, ...], model: str, deriver: Deriver
) -> list[str]:
    own = [(a, s) for a in assigned for s in a.settings if s.option is option]
    if not own:
        return [f"It applies to no parameter of {code(model)}."]
    counting = [pair for pair in own if pair[1].effective and not pair[0].frozen]
    total = count_phrase(own, "tensor")
    lines = [f"On {code(model)}, it takes effect for {len(counting):,} of {total}."]
    settled = [a for a, _ in counting if option.key in a.options]
    values = Counter(value_text(a.options[option.key]) for a in settled)
    first = {value_text(a.options[option.key]): a for a in reversed(settled)}
    for value, number in values.most_common(MOST_VALUES):
        tensors = count_phrase(range(number), "tensor")
        derived = deriver.derivation(option.key, first[value])
        arithmetic = f" = {code(derived.arithmetic)}" if derived.computed else ""
        lines.append(f"- {code(f'{option.key}={value}')}{arithmetic} in {tensors}")
    if len(values) > MOST_VALUES:
        lines.append(f"- and {len(values) - MOST_VALUES} more values")
    others: dict[str, None] = {}
    for one, setting in own:
        others.update(dict.fromkeys(_others(one, setting)))
    return ["\n".join([*lines, *others])]


def _others(assigned: ParameterAssignment, own: Setting) -> list[str]:
    """The other settings of the option for the same parameter."""
    lines = []
    for setting in assigned.settings:
        if setting is own or setting.option.key != own.option.key:
            continue
        span = setting.option.span
        place = span.place if span is not None else _name(setting.rule)
        what = f"{own.option.key}{setting.option.operator}{value_text(setting.value)}"
        effect = "takes effect" if setting.effective else "has no effect"
        lines.append(f"- {code(what)} at {code(place)} {effect}")
    return lines


def _name(rule: Rule) -> str:
    return "a rule that was created in Python"
