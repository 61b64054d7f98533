"""A part of a selector matches nothing, while the rest of it matches.

An operand of `or`, an alternative in braces or a branch of a regex that matches no name is often
meant for another model, so this is a note. It is a warning if a parameter that the part was
probably meant for gets other values.

    *{bias,LayerNorm.weight} -> nodecay weight_decay=0    # bad if norms are `layer_norm`
    *.bias or @LayerNorm     -> nodecay weight_decay=0    # good
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grouper.checks.context import Context
from grouper.checks.literal_parts import GENERIC, Part, parts_of, words_of
from grouper.checks.module_kinds import Kind, is_norm
from grouper.checks.slips import normalized
from grouper.checks.trained import Trained
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.findings import Code, Edit, Finding, Fix, Severity, labels_at
from grouper.text.printable import count_phrase, quoted_list

CODE = Code("GR116", "idle-part", Severity.NOTE, __doc__ or "")

ALIKE = 0.75  # the minimum similarity of two words of names
TABLES = re.compile(r"embed|token|table|position", re.IGNORECASE)


def check(context: Context) -> Iterator[Finding]:
    """One finding for each part that matches nothing, in rules that match something."""
    for rule in context.rules.rules:
        if rule.selector is None or rule.optional or not context.members[id(rule)]:
            continue
        for part in parts_of(rule.selector):
            if not context.matches_some(part.alone) and not _is_unknown(context, part.alone):
                yield _finding(context, rule, part, _affected(context, rule, part))
        yield from _empty_exceptions(context, rule)


def _is_unknown(context: Context, selector: tree.Selector) -> bool:
    asks = isinstance(selector, tree.ClassName | tree.Within | tree.Has | tree.Flag)
    return asks and (context.inventory.modules is None or isinstance(selector, tree.Has))


def _empty_exceptions(context: Context, rule: Rule) -> Iterator[Finding]:
    if not isinstance(rule.selector, tree.And):
        return
    for operand in rule.selector.operands:
        if isinstance(operand, tree.Not) and not _is_unknown(context, operand.operand):
            rest = tuple(other for other in rule.selector.operands if other is not operand)
            excluded = context.selected(rest[0] if len(rest) == 1 else tree.And(rest))
            if not excluded & context.selected(operand.operand):
                text = operand.span.text if operand.span is not None else "a `not`"
                yield Finding(
                    CODE,
                    f"`{text}` excludes nothing here",
                    labels_at(operand.span or rule.span),
                    help="remove it, or begin the rule with `optional` if other models have it",
                )


def _affected(context: Context, rule: Rule, part: Part) -> list[Trained]:
    """The parameters with similar names that the part was probably meant for, if they get other
    values than those of the rule."""
    members = [o for o in context.trained if id(o.parameter) in context.matched[id(rule)]]
    keys = [o.key for o in rule.options if o.key != "freeze"] or ["lr", "weight_decay"]
    keys += ["optimizer"] if not rule.options else []
    reach = context.selected(part.opened)
    words = [word for word in words_of(part.text) if _speaks(word, part)]
    affected = []
    for one in context.trained:
        identity = id(one.parameter)
        if identity not in reach or identity in context.matched[id(rule)]:
            continue
        if any(_alike(context, word, one, part) for word in words) and any(
            one.value(key) != other.value(key) for other in members[:1] for key in keys
        ):
            affected.append(one)
    return affected


def _speaks(word: str, part: Part) -> bool:
    return word.lower() not in GENERIC or (word.lower() == "norm" and part.text.strip("*.") == word)


def _alike(context: Context, word: str, one: Trained, part: Part) -> bool:
    if TABLES.search(word) and one.kind not in (Kind.EMBEDDING, Kind.BARE):
        return False
    if isinstance(part.alone, tree.ClassName) and is_norm(word) and one.kind is Kind.NORM:
        return True
    folded = normalized(word)
    cls = normalized(context.kinds.class_name(one.parameter))
    if cls and (folded == cls or (not part.in_list and len(folded) > 3 and folded in cls)):
        return True
    if len(folded) < 4:
        return False
    return any(_near(word, name) for name in one.name.split("."))


def _near(word: str, name: str) -> bool:
    if name.isdigit() or name.lower() in GENERIC:
        return False
    if normalized(word) == normalized(name) or _abbreviates(word, name):
        return True
    from difflib import SequenceMatcher

    return SequenceMatcher(None, word.lower(), name.lower(), autojunk=False).ratio() >= ALIKE


def _abbreviates(word: str, name: str) -> bool:
    """Whether each word of one name abbreviates the other's: `pos_embed`, `position_embeddings`."""
    mine, theirs = word.lower().split("_"), name.lower().split("_")
    if len(mine) != len(theirs) or len(mine) < 2:
        return False
    pairs = zip(mine, theirs, strict=True)
    return all(min(len(a), len(b)) > 2 and (a.startswith(b) or b.startswith(a)) for a, b in pairs)


def _finding(context: Context, rule: Rule, part: Part, affected: Sequence[Trained]) -> Finding:
    message = f"`{part.text}` matches nothing here, while the rest of the selector does"
    place = part.span or rule.span
    if not affected:
        return Finding(
            CODE,
            message,
            labels_at(place),
            help="remove it, or begin the rule with `optional` if other models have it",
        )
    classes = sorted({context.kinds.class_name(one.parameter) for one in affected} - {""})
    owners = f" (owned by {quoted_list(classes[:2])})" if classes else ""
    return Finding(
        CODE,
        f"{message}; {count_phrase(affected)} with a similar name"
        f" {'gets' if len(affected) == 1 else 'get'} other values: `{affected[0].name}`{owners}",
        labels_at(place),
        tuple(one.name for one in affected),
        help=_help(context, affected),
        candidates=_candidates(context, part, affected),
        severity_override=Severity.WARNING,
    )


def _help(context: Context, affected: Sequence[Trained]) -> str:
    names = quoted_list(dict.fromkeys(_pattern(one) for one in affected[:2]))
    classes = sorted({context.kinds.class_name(one.parameter) for one in affected} - {""})
    by_class = f" or their class (`@{classes[0]}`)" if len(classes) == 1 else ""
    return f"use their names ({names}){by_class}; if they are not meant, add `optional`"


def _pattern(one: Trained) -> str:
    parts = one.name.split(".")
    last = parts[-2:] if len(parts) > 1 and not parts[-2].isdigit() else parts[-1:]
    return "*" + ".".join(last)


def _candidates(context: Context, part: Part, affected: Sequence[Trained]) -> tuple[Fix, ...]:
    """The word replaced by the similar name, and the part by the class of the affected ones."""
    if part.span is None or part.span.text != part.text:
        return ()
    fixes: list[Fix] = []
    for word in words_of(part.text):
        near = {n for one in affected for n in one.name.split(".") if _near(word, n)}
        owners = {one.name.split(".")[-2] for one in affected if "." in one.name}
        common = _common_end(near or owners)
        if common:
            fixes.append((Edit(part.span, part.text.replace(word, common)),))
    classes = {context.kinds.class_name(one.parameter) for one in affected} - {""}
    if len(classes) == 1 and not part.in_list:
        fixes.append((Edit(part.span, f"@{classes.pop()}"),))
    return tuple(fixes)


def _common_end(names: set[str]) -> str:
    """The common last words of the names: `layer_norm` of `self_attn_layer_norm` and others."""
    ends = [name.split("_")[::-1] for name in names]
    common = []
    for words in zip(*ends, strict=False):
        if len(set(words)) > 1:
            break
        common.append(words[0])
    return "_".join(common[::-1])
