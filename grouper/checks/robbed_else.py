"""An `else` rule loses most of its parameters to earlier rules that set other options.

The backbone's rule comes first and also takes the backbone's norms, so only the head's norms are
left for the rule for norms.

    backbone.*   -> backbone lr*=0.1
    else @*Norm* -> norm weight_decay=0         # bad: the backbone's norms decay

    backbone.*   -> backbone lr*=0.1
    @*Norm*      -> norm weight_decay=0         # good: both rules apply
    else         -> rest
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.rule_edits import selector_text_of, without_else
from grouper.language.ruleset import Rule
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR315", "robbed-else", Severity.WARNING, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each `else` rule that loses more than half of its matches to earlier rules
    that set other options."""
    for rule in context.rules.rules:
        if not rule.otherwise or rule.selector is None or rule.freezes or not rule.options:
            continue
        if not any(_sets_others(rule, other) for other in _earlier(context, rule)):
            continue
        left = context.matched[id(rule)]
        candidates = context.candidates(rule)
        if not left or 2 * len(left) >= len(candidates):
            continue
        lost = candidates - left
        takers = [o for o in _earlier(context, rule) if context.matched[id(o)] & lost]
        if not takers or not all(_sets_others(rule, taker) for taker in takers):
            continue
        if _classes(context, left) & _classes(context, lost):
            yield _finding(context, rule, takers[0], lost)


def _earlier(context: Context, rule: Rule) -> Iterator[Rule]:
    """The rules of the same block that stand before a rule."""
    for other in context.rules.rules:
        if other is rule:
            return
        if other.split == rule.split:
            yield other


def _sets_others(rule: Rule, taker: Rule) -> bool:
    """Whether a rule sets options, and none that the other one sets."""
    keys = {option.key for option in taker.options}
    return bool(keys) and not taker.freezes and keys.isdisjoint(o.key for o in rule.options)


def _classes(context: Context, members: frozenset[int] | set[int]) -> set[str]:
    return {context.kinds.class_name(p) for p in context.parameters(members)} - {""}


def _finding(context: Context, rule: Rule, taker: Rule, lost: frozenset[int] | set[int]) -> Finding:
    names = context.names(context.parameters(lost))
    selector = selector_text_of(rule)
    keys = ", ".join(f"`{option.key}`" for option in rule.options)
    return Finding(
        CODE,
        f"{count_phrase(names)} that `{selector}` matches are taken by {rule_name(taker)} first,"
        f" which does not set {keys}: `{names[0]}`",
        labels_at(rule.span) + labels_at(taker.span, "takes them"),
        names,
        help=f"let both rules apply, without `else`: `{selector} -> ...`, or put this rule into its"
        " own `split`",
        candidates=(without_else(rule),),
    )
