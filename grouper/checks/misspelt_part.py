"""A part of an `optional` rule matches nothing, but the model has a very similar name.

`optional` allows a part to match nothing. But if the model has the name in another spelling, it was
probably meant, and its parameters get other values.

    optional patch_embed.* or Pos_embed -> stem lr*=0.1    # bad if the model has `pos_embed`
    optional patch_embed.* or pos_embed -> stem lr*=0.1    # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.checks.literal_parts import STAR, Part, parts_of, words_of
from grouper.checks.slips import is_slip
from grouper.checks.trained import Trained
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.findings import Code, Edit, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR323", "misspelt-part", Severity.WARNING, __doc__ or "")

LEAST = 4  # letters of a word that identifies a module


def check(context: Context) -> Iterator[Finding]:
    """One finding for each part that is a misspelt name of parameters that the rule misses."""
    for rule in context.rules.rules:
        if rule.selector is None or not rule.optional or context.inventory.modules is None:
            continue
        for part in _parts(context, rule):
            if not context.matches_some(part.alone):
                yield from _misspelt(context, rule, part)


def _parts(context: Context, rule: Rule) -> Iterator[Part]:
    """The parts of the selector; of a rule that matches nothing, its operands as well."""
    assert rule.selector is not None
    yield from parts_of(rule.selector)
    if context.members[id(rule)]:
        return
    whole = rule.selector
    operands = whole.operands if isinstance(whole, tree.And) else (whole,)
    for operand in operands:
        if isinstance(operand, tree.Glob | tree.ClassName):
            rest = tuple(other for other in operands if other is not operand)
            opened = tree.And((STAR, *rest)) if rest else STAR
            text = operand.span.text if operand.span is not None else ""
            yield Part(operand, opened, text, operand.span)


def _misspelt(context: Context, rule: Rule, part: Part) -> Iterator[Finding]:
    reach = context.selected(part.opened) - context.matched[id(rule)]
    others = [o for o in context.trained if id(o.parameter) in reach]
    members = [o for o in context.trained if id(o.parameter) in context.matched[id(rule)]]
    keys = [option.key for option in rule.options if option.key != "freeze"]
    for word in words_of(part.text):
        if len(word) < LEAST:
            continue
        known = {name for one in others for name in _names(context, part, one)}
        meant = {name for name in known if is_slip(word, name)}
        if not meant:
            continue
        found = [one for one in others if not meant.isdisjoint(_names(context, part, one))]
        apart = [o for o in found if not members or _differs(o, members[0], keys)]
        if apart:
            name = next(n for n in _names(context, part, apart[0]) if n in meant)
            yield _finding(rule, part, word, name, apart)


def _differs(one: Trained, other: Trained, keys: list[str]) -> bool:
    return any(one.value(key) != other.value(key) for key in keys) or not keys


def _names(context: Context, part: Part, one: Trained) -> list[str]:
    """What the part could misspell: the parameter's class, or the parts of its name."""
    if isinstance(part.alone, tree.ClassName):
        return [context.kinds.class_name(one.parameter)]
    return one.name.split(".")


def _finding(rule: Rule, part: Part, word: str, name: str, members: list[Trained]) -> Finding:
    place = part.span or rule.span
    is_literal = part.span is not None and word in part.span.text
    better = part.span.text.replace(word, name) if is_literal and part.span is not None else ""
    return Finding(
        CODE,
        f"no name has `{word}`; {count_phrase(members)} with `{name}` in the name"
        f" {'gets' if len(members) == 1 else 'get'} other values: `{members[0].name}`",
        labels_at(place),
        tuple(one.name for one in members),
        help=f"write `{name}`; if it is meant for another model, accept it: `allow {CODE.id}`",
        candidates=((Edit(part.span, better),),) if better and part.span is not None else (),
    )
