"""An `else` rule is never reached: earlier rules of its block take all that it matches.

`else` matches only what is left. After a bare `else`, nothing is left; after other rules, nothing
that the selector matches may be left. Put an exception before the rule that it is an exception to.

    else        -> body
    else *.bias -> bias weight_decay=0       # bad: nothing is left

    *.bias -> bias weight_decay=0            # good
    else   -> body
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context, rule_name
from grouper.checks.rule_edits import moved_before, selector_text_of
from grouper.language.automata.claims import Either
from grouper.language.ruleset import Rule
from grouper.text.findings import Code, Finding, Severity, labels_at
from grouper.text.printable import count_phrase

CODE = Code("GR114", "rule-never-reached", Severity.ERROR, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for each rule after a bare `else` of its block, or whose matches are all taken by
    earlier rules (without a model, those that are taken in every model)."""
    dead = dict(_after_bare_else(context.rules.rules))
    for rule in context.rules.rules:
        if id(rule) in dead:
            yield _after_else(rule, dead[id(rule)])
    if context.without_model:
        yield from (
            f
            for rule in context.rules.rules
            if id(rule) not in dead
            for f in _in_no_model(context, rule)
        )
        return
    for rule in context.without_matches:
        if id(rule) in dead or rule.optional or rule.selector is None or not rule.otherwise:
            continue
        candidates = context.candidates(rule)
        takers = _takers(context, rule, candidates)
        if takers:
            yield _taken(context, rule, candidates, takers)


def _after_bare_else(rules: tuple[Rule, ...]) -> Iterator[tuple[int, Rule]]:
    """The rules after a bare `else` of their block, each with that `else`."""
    bare: dict[str | None, Rule] = {}
    for rule in rules:
        before = bare.get(rule.split)
        if before is not None and (rule.otherwise or rule.split is not None):
            yield id(rule), before
        if rule.otherwise and rule.selector is None and rule.condition is None:
            bare.setdefault(rule.split, rule)


def _after_else(rule: Rule, before: Rule) -> Finding:
    line = f"in line {before.span.line}" if before.span is not None else "before it"
    return Finding(
        CODE,
        f"the rule is never reached: the `else` {line} takes all that is left",
        labels_at(rule.span) + labels_at(before.span, "takes all that is left"),
        help="put it before the `else`",
        candidates=(moved_before(rule, before),) if rule.selector is not None else (),
    )


def _in_no_model(context: Context, rule: Rule) -> Iterator[Finding]:
    """A finding if earlier rules take every name that the rule's selector can match."""
    claims, matched = context.claims, context.claims.selected(rule)
    if not rule.otherwise or rule.optional or claims.is_empty(matched) is not False:
        return
    earlier = [other for other in _before(context, rule) if claims.can_meet(rule, other)]
    for takers in (*([other] for other in earlier), earlier):
        gone = claims.is_empty(matched, Either(tuple(map(claims.selected, takers))))
        if gone is not False:
            yield _always_taken(
                rule, takers, next(claims.names(matched), None), certain=gone is True
            )
            return


def _always_taken(rule: Rule, takers: list[Rule], example: str | None, certain: bool) -> Finding:
    numbers = dict.fromkeys(str(taker.span.line) for taker in takers if taker.span is not None)
    lines = ", ".join(numbers)
    labels = labels_at(rule.span)
    for taker in takers:
        what = "takes them" if len(takers) == 1 else "takes some"
        labels += labels_at(taker.span, f"{rule_name(taker)} {what}")
    such = f", such as `{example}`," if example else ""
    return Finding(
        CODE,
        f"the rule is never reached: all that `{selector_text_of(rule)}` can match{such} is taken"
        f" by {'an earlier rule' if len(takers) == 1 else 'earlier rules'} (line {lines})",
        labels,
        help=_help(rule),
        severity_override=None if certain else Severity.WARNING,
    )


def _before(context: Context, rule: Rule) -> list[Rule]:
    """The earlier rules of the block."""
    rules = context.rules.rules
    at = next(index for index, other in enumerate(rules) if other is rule)
    return [other for other in rules[:at] if other.split == rule.split]


def _takers(context: Context, rule: Rule, candidates: frozenset[int]) -> list[tuple[Rule, int]]:
    """The earlier rules of the block that match candidates, with their counts, largest first."""
    takers = []
    for other in context.rules.rules:
        if other is rule:
            break
        if other.split == rule.split:
            common = len(candidates & context.matched[id(other)])
            if common:
                takers.append((other, common))
    return sorted(takers, key=lambda pair: -pair[1])


def _taken(
    context: Context, rule: Rule, candidates: frozenset[int], takers: list[tuple[Rule, int]]
) -> Finding:
    taker = takers[0][0]
    names = context.names(context.parameters(candidates))
    lines = ", ".join(str(t.span.line) for t, _ in takers if t.span is not None)
    selector = selector_text_of(rule)
    return Finding(
        CODE,
        f"the rule is never reached: all that `{selector}` matches"
        f" ({count_phrase(names)}) is taken by earlier rules (line {lines})",
        labels_at(rule.span) + labels_at(taker.span, f"{rule_name(taker)} takes them"),
        names,
        help=_help(rule),
        candidates=(moved_before(rule, _first(takers)),),
    )


def _first(takers: list[tuple[Rule, int]]) -> Rule:
    """The first of these rules in the file."""
    return min((t for t, _ in takers), key=lambda t: t.span.start if t.span is not None else 0)


def _help(rule: Rule) -> str:
    if rule.split is not None:
        return "put this rule before the rules that take its parameters"
    selector = selector_text_of(rule)
    return (
        "put this rule before the rules that take its parameters, or let it override them:"
        f" `override {selector} -> ...`"
    )
