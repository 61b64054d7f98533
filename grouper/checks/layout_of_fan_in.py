"""`fan_in` is asked of weights whose layout it does not know.

`fan_in` is torch's, of weights (out, in). GPT-2's `Conv1D` and transposed convolutions keep theirs
as (in, out), stacked experts have a dimension more, and an embedding's rows are looked up.

    ndim == 2 -> matrix lr=1e-2 * 16 / fan_in               # bad on a GPT-2
    @Conv1D and ndim == 2 -> matrix lr=1e-2 * 16 / fan_out  # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.module_kinds import Kind
from grouper.checks.trained import Trained
from grouper.language.resolve.walk import words
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.text.findings import Code, Edit, Finding, Fix, Severity, labels_at
from grouper.text.printable import count_phrase
from grouper.text.source import Span

CODE = Code("GR312", "fan-in-of-another-layout", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each option with `fan_in` or `fan_out` whose rule takes such weights."""
    for rule in context.rules.rules:
        for option in rule.options:
            asked = [word for word, _ in words(option.value) if word.name in ("fan_in", "fan_out")]
            if not asked:
                continue
            members = [o for o in context.trained if id(o.parameter) in context.matched[id(rule)]]
            turned = [one for one in members if context.kinds.is_transposed(one.parameter)]
            stacked = [one for one in members if _is_stack(one)]
            if turned and asked[0].name == "fan_in":
                yield _turned(context, rule, option, asked[0], turned)
            elif stacked:
                yield _stacked(rule, option, stacked)


def _is_stack(one: Trained) -> bool:
    bare = one.kind in (Kind.OTHER, Kind.BARE)
    return bare and one.parameter.ndim == 3 and "expert" in one.name.lower()


def _turned(
    context: Context, rule: Rule, option: tree.Option, word: tree.Word, found: list[Trained]
) -> Finding:
    cls = context.kinds.class_name(found[0].parameter)
    return Finding(
        CODE,
        f"`fan_in` is not the number of inputs of {count_phrase(found)}: a `{cls}` keeps its weight"
        f" transposed (`{found[0].name}`)",
        labels_at(option.span),
        tuple(one.name for one in found),
        help=f"give them a rule of their own with `fan_out`: `@{cls} and ndim == 2 -> ...`",
        candidates=_candidates(context, rule, word, found, cls),
    )


def _candidates(
    context: Context, rule: Rule, word: tree.Word, found: list[Trained], cls: str
) -> tuple[Fix, ...]:
    if word.span is None:
        return ()
    swap = Edit(word.span, "fan_out")
    if len(found) == len(context.matched[id(rule)]):
        return ((swap,),)
    span = rule.selector.span if rule.selector is not None else None
    if span is None:
        return ((swap,),)
    before = Span(span.source, span.start, span.start)
    return ((swap, Edit(before, f"@{cls} and ")), (swap,))


def _stacked(rule: Rule, option: tree.Option, found: list[Trained]) -> Finding:
    return Finding(
        CODE,
        f"`{found[0].name}` is a stack of experts, and `fan_in` counts their matrices as one"
        f" ({rule_name(rule)})",
        labels_at(option.span),
        tuple(one.name for one in found),
        help="take the size that is meant, such as `shape[1]` or `shape[2]`",
    )
