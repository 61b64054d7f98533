"""All parameters that a rule matches are frozen by another rule.

Frozen parameters are not trained, so the rule has no effect. `freeze` takes precedence over all
other rules, including those with `override`.

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
    """One finding for each rule outside of splits whose parameters other rules freeze. Rules of a
    split are skipped: a split divides all parameters."""
    freezing = [rule for rule in context.rules.rules if rule.freezes]
    for rule in context.rules.rules if freezing else ():
        matched = context.matched[id(rule)]
        if rule.freezes or rule.optional or rule.split is not None or not matched:
            continue
        if rule.otherwise and rule.selector is None:
            continue  # an `else` may be empty
        taking = [other for other in freezing if context.matched[id(other)] & matched]
        if taking and matched <= set().union(*(context.matched[id(o)] for o in taking)):
            yield _finding(context, rule, matched, taking[0])


def _finding(context: Context, rule: Rule, matched: set[int], freezing: Rule) -> Finding:
    selector = selector_text_of(rule)
    return Finding(
        CODE,
        f"all parameters of {rule_name(rule)} are frozen by {rule_name(freezing)}",
        labels_at(rule.span) + labels_at(freezing.span, "freezes it"),
        context.names(context.parameters(matched)),
        help=f"exclude them from freezing (`... and not ({selector}) -> freeze`), remove this rule,"
        " or begin it with `optional` if they will be unfrozen later",
        candidates=_carved_out(context, rule, matched, freezing),
    )


def _carved_out(context: Context, rule: Rule, matched: set[int], freezing: Rule) -> tuple[Fix, ...]:
    """The freezing rule without the parameters of this one, if it freezes more than them."""
    if not matched < context.matched[id(freezing)] or rule.condition or freezing.condition:
        return ()
    text = grouped(selector_text_of(rule), rule.selector)
    return (except_selecting(freezing, text),)
