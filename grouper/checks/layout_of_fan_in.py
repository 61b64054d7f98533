"""`fan_in` is used for weights with another layout.

`fan_in` assumes torch's layout (out, in). The weights of GPT-2's `Conv1D` and of transposed
convolutions have the layout (in, out), and stacked experts have one more dimension.

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
    """One finding for each option with `fan_in` or `fan_out` whose rule matches such weights."""
    for rule in context.rules.rules:
        for option in rule.options:
            used = [word for word, _ in words(option.value) if word.name in ("fan_in", "fan_out")]
            if not used:
                continue
            members = [o for o in context.trained if id(o.parameter) in context.matched[id(rule)]]
            turned = [one for one in members if context.kinds.is_transposed(one.parameter)]
            stacked = [one for one in members if _is_stack(one)]
            if turned and used[0].name == "fan_in":
                yield _turned(context, rule, option, used[0], turned)
            elif stacked:
                yield _stacked(rule, option, stacked)


def _is_stack(one: Trained) -> bool:
    bare = one.kind in (Kind.OTHER, Kind.BARE)
    return bare and one.parameter.ndim == 3 and "expert" in one.name.lower()


def _turned(
    context: Context, rule: Rule, option: tree.Option, word: tree.Word, members: list[Trained]
) -> Finding:
    cls = context.kinds.class_name(members[0].parameter)
    return Finding(
        CODE,
        f"`fan_in` is not the number of inputs of {count_phrase(members)}: the weight of a `{cls}`"
        f" is transposed (`{members[0].name}`)",
        labels_at(option.span),
        tuple(one.name for one in members),
        help=f"give them their own rule with `fan_out`: `@{cls} and ndim == 2 -> ...`",
        candidates=_candidates(context, rule, word, members, cls),
    )


def _candidates(
    context: Context, rule: Rule, word: tree.Word, members: list[Trained], cls: str
) -> tuple[Fix, ...]:
    if word.span is None:
        return ()
    swap = Edit(word.span, "fan_out")
    if len(members) == len(context.matched[id(rule)]):
        return ((swap,),)
    span = rule.selector.span if rule.selector is not None else None
    if span is None:
        return ((swap,),)
    before = Span(span.source, span.start, span.start)
    return ((swap, Edit(before, f"@{cls} and ")), (swap,))


def _stacked(rule: Rule, option: tree.Option, members: list[Trained]) -> Finding:
    return Finding(
        CODE,
        f"`{members[0].name}` is a stack of experts, but `fan_in` treats their matrices as one"
        f" ({rule_name(rule)})",
        labels_at(option.span),
        tuple(one.name for one in members),
        help="use the size of the input dimension: `shape[1]` or `shape[2]`",
    )
