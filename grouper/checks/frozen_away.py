"""All that a rule matches is frozen by another one.

What is frozen is not trained, so the rule gives nothing to anything. `freeze` takes a parameter out
whatever other rules say of it; `override` does not bring it back.

    in backbone  -> freeze
    backbone.fpn.* -> neck lr=0.01              # bad: it is frozen with the rest

    in backbone and not backbone.fpn.* -> freeze
    backbone.fpn.* -> neck lr=0.01              # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.rule_edits import except_selecting, grouped, selector_text_of
from grouper.language.ruleset import Rule
from grouper.text.findings import Code, Finding, Fix, Severity, labels_at

CODE = Code("GR115", "frozen-by-another-rule", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule of the top level whose parameters other rules freeze. A split
    speaks of all kinds that a model has, so its rules are left alone."""
    freezing = [rule for rule in context.rules.rules if rule.freezes]
    for rule in context.rules.rules:
        matched = context.matched[id(rule)]
        if rule.freezes or rule.optional or rule.split is not None or not matched:
            continue
        if rule.otherwise and rule.selector is None:
            continue  # what is left may be nothing
        taking = [other for other in freezing if context.matched[id(other)] & matched]
        if taking and matched <= set().union(*(context.matched[id(o)] for o in taking)):
            yield _finding(context, rule, matched, taking[0])


def _finding(context: Context, rule: Rule, matched: set[int], freezing: Rule) -> Finding:
    selector = selector_text_of(rule)
    return Finding(
        CODE,
        f"all that {rule_name(rule)} matches is frozen by {rule_name(freezing)}",
        labels_at(rule.span) + labels_at(freezing.span, "freezes it"),
        context.names(context.parameters(matched)),
        help=f"leave it out where it is frozen (`... and not ({selector}) -> freeze`), remove this"
        " rule, or begin it with `optional` if it waits for being unfrozen",
        candidates=_carved_out(context, rule, matched, freezing),
    )


def _carved_out(context: Context, rule: Rule, matched: set[int], freezing: Rule) -> tuple[Fix, ...]:
    """The freezing rule without what this one is for, where no other freezes it."""
    if not matched < context.matched[id(freezing)] or rule.condition or freezing.condition:
        return ()
    text = grouped(selector_text_of(rule), rule.selector)
    return (except_selecting(freezing, text),)
