"""Two rules can match the same parameter and set different values for one of its options.

This is checked for rules without a model. If one rule matches everything that the other matches,
they conflict on every model, which is an error. Otherwise it is a warning with an example, and only
if one of the rules matches the end of names (`*.bias`), which most models have. Rules that meet
only in unusual names (`vision.*` and `*projector*`) are not reported.

    *      -> all  lr=0.01
    *.bias -> bias lr=0.02            # bad: both match every bias

    *               -> all  lr=0.01
    override *.bias -> bias lr=0.02   # good
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from grouper.checks.context import Context, rule_name, sets_phrase
from grouper.checks.rule_edits import selector_text_of
from grouper.language.automata.claims import All, Either, Negation
from grouper.language.expressions import Scope, captured_names, evaluate, label_of
from grouper.language.facts import FACTS
from grouper.language.resolve.walk import attributes, calls, possible_captures, words
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.options.values import Value, same
from grouper.text.dataclass import dataclass
from grouper.text.findings import Code, Finding, Label, Severity, labels_at

if TYPE_CHECKING:
    from grouper.language.automata.rule_claims import RuleClaims

CODE = Code("GR121", "possible-conflict", Severity.WARNING, __doc__ or "")


@dataclass(frozen=True)
class Fixed:
    """A value that a rule sets independent of the model."""

    rule: Rule
    option: tree.Option
    value: Value


def check(context: Context) -> Iterator[Finding]:
    """One finding for each option of a rule that can conflict with an earlier rule."""
    by_key: dict[str, list[Fixed]] = {}
    for rule in context.rules.rules:
        for later in () if rule.freezes else _fixed(rule, context.rules.variables):
            before = by_key.setdefault(later.option.key, [])
            finding = _of(context.rules, context.claims, before, later)
            if finding is not None:
                yield finding
            if context.claims.is_exhausted:
                return
            before.append(later)


def _fixed(rule: Rule, variables: Mapping[str, Value]) -> Iterator[Fixed]:
    """The values that depend only on the file."""
    captured = possible_captures(rule.selector)
    for option in rule.options:
        expression = option.value
        of_model = any(True for _ in attributes(expression)) or any(
            captured_names(call) or label_of(call) for call in calls(expression)
        )
        of_match = any(w.name in captured or w.name in FACTS for w, _ in words(expression))
        if option.operator != "=" or of_model or of_match:
            continue
        try:
            yield Fixed(rule, option, evaluate(expression, Scope(variables)))
        except BadValue:
            continue


def _of(rules: RuleSet, claims: RuleClaims, before: list[Fixed], later: Fixed) -> Finding | None:
    """The finding for a value and the earlier ones: a certain conflict, or else a possible one."""
    possible, settled = None, _settled(rules, claims, later)
    for earlier in before:
        if not _at_odds(earlier.rule, later.rule) or same(earlier.value, later.value):
            continue
        inner = _always(claims, earlier, later, settled)
        if inner is not None:
            return _certain(earlier, later, inner)
        if possible is None and (_is_ending(earlier.rule) or _is_ending(later.rule)):
            both = (claims.matched(earlier.rule), claims.matched(later.rule), Negation(settled))
            name = next(claims.names(All(both)), None)
            possible = _possible(earlier, later, name) if name is not None else None
    return possible


def _at_odds(earlier: Rule, later: Rule) -> bool:
    """Whether neither rule takes precedence where both match."""
    gives_way = later.otherwise and earlier.split == later.split
    return earlier.override == later.override and not gives_way


def _is_ending(rule: Rule) -> bool:
    """Whether the rule matches parameters by the end of their names, anywhere in a model."""
    return rule.selector is not None and _says_end(rule.selector)


def _says_end(selector: tree.Selector) -> bool:
    match selector:
        case tree.Glob(pieces=pieces):
            return bool(pieces) and not isinstance(pieces[-1], tree.Star)
        case tree.Exact():
            return True
        case tree.And(operands=operands):
            return any(map(_says_end, operands))
        case tree.Or(operands=operands):
            return all(map(_says_end, operands))
        case _:
            return False


def _settled(rules: RuleSet, claims: RuleClaims, later: Fixed) -> Either:
    """The names for which a freezing rule or an `override` of the option resolves the conflict."""
    key = later.option.key
    settling = (
        rule
        for rule in rules.rules
        if rule.freezes
        or (rule.override and not later.rule.override and any(o.key == key for o in rule.options))
    )
    return Either(tuple(map(claims.selected, settling)))


def _always(claims: RuleClaims, earlier: Fixed, later: Fixed, settled: Either) -> Fixed | None:
    """The one of the two rules that conflicts with the other wherever it matches."""
    for inner, outer in ((later, earlier), (earlier, later)):
        if inner.rule.optional:
            continue
        unsettled = claims.matched(outer.rule)
        if settled.claims:
            unsettled = All((unsettled, Negation(settled)))
        if claims.is_empty(claims.matched(inner.rule), unsettled):
            return inner
    return None


def _certain(earlier: Fixed, later: Fixed, inner: Fixed) -> Finding:
    outer = earlier if inner is later else later
    return Finding(
        CODE,
        f"all parameters of {rule_name(inner.rule)} get two values of `{later.option.key}`:"
        f" {rule_name(outer.rule)} also matches them",
        _labels(earlier, later),
        help=f"let the narrower rule win: `override {selector_text_of(inner.rule)} -> ...`",
        severity_override=Severity.ERROR,
    )


def _possible(earlier: Fixed, later: Fixed, name: str) -> Finding:
    return Finding(
        CODE,
        f"{rule_name(earlier.rule)} and {rule_name(later.rule)} both match names such as `{name}`,"
        f" which would get two values of `{later.option.key}`",
        _labels(earlier, later),
        help="choose which one applies: begin it with `override`",
    )


def _labels(earlier: Fixed, later: Fixed) -> tuple[Label, ...]:
    labels = labels_at(later.option.span, sets_phrase(later.rule, later.value))
    return labels + labels_at(earlier.option.span, sets_phrase(earlier.rule, earlier.value))
