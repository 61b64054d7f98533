"""Which rules match each parameter."""

from __future__ import annotations

from grouper.findings import Finding, Label
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.match import codes
from grouper.match.assignment import Assignment, Match, Unknown
from grouper.match.matcher import Matcher
from grouper.match.resolve_options import Options
from grouper.model.inventory import Inventory, Parameter


def assign(rules: RuleSet, inventory: Inventory) -> tuple[Assignment, tuple[Finding, ...]]:
    """Each parameter's rules and options. Total: what fails is a finding and left out."""
    matcher = Matcher(rules, inventory)
    matching = _Matching(rules, matcher)
    matches = [matching.of(parameter) for parameter in inventory.parameters]
    options = Options(rules, _greatest(rules, matches))
    assigned = tuple(
        options.assigned(parameter, found)
        for parameter, found in zip(inventory.parameters, matches, strict=True)
    )
    findings = (*_bad_selectors(matcher), *options.findings())
    return Assignment(rules, inventory, assigned, matching.unknowns()), findings


class _Matching:
    """Applies the rules block by block, so that `else` sees what came before it."""

    def __init__(self, rules: RuleSet, matcher: Matcher) -> None:
        self._rules = rules
        self._tests = [
            None if rule.selector is None else matcher.test(rule.selector) for rule in rules.rules
        ]
        self._unknown: dict[tuple[int, tree.Selector, str], list[Parameter]] = {}

    def of(self, parameter: Parameter) -> tuple[Match, ...]:
        taken: set[str | None] = set()
        found = []
        for index, rule in enumerate(self._rules.rules):
            if rule.otherwise and rule.split in taken:
                continue
            match = self._match(index, rule, parameter)
            if match is not None:
                taken.add(rule.split)
                found.append(match)
        return tuple(found)

    def _match(self, index: int, rule: Rule, parameter: Parameter) -> Match | None:
        test = self._tests[index]
        if test is None:
            return Match(rule, parameter.name, {})
        answer = test(parameter)
        if answer.truth:
            return Match(rule, answer.name, answer.captures)
        for selector, reason in answer.unknown:
            self._unknown.setdefault((index, selector, reason), []).append(parameter)
        return None

    def unknowns(self) -> tuple[Unknown, ...]:
        return tuple(
            Unknown(self._rules.rules[index], selector, _question(selector), reason, tuple(asked))
            for (index, selector, reason), asked in self._unknown.items()
        )


def _question(selector: tree.Selector) -> str:
    if selector.span is not None:
        return selector.span.text
    from grouper.language.syntax.unparse import selector_text

    return selector_text(selector)


def _greatest(rules: RuleSet, matches: list[tuple[Match, ...]]) -> dict[int, dict[str, int]]:
    """For each rule (by identity), the largest number that each of its captures takes."""
    greatest: dict[int, dict[str, int]] = {id(rule): {} for rule in rules.rules}
    for found in matches:
        for match in found:
            most = greatest[id(match.rule)]
            for name, value in match.captures.items():
                most[name] = max(value, most.get(name, value))
    return greatest


def _bad_selectors(matcher: Matcher) -> list[Finding]:
    return [
        Finding(
            codes.BAD_SELECTOR,
            fault.message,
            (Label(span),) if (span := fault.span or selector.span) else (),
            help=fault.help or "correct the comparison",
        )
        for selector, fault in matcher.faults.items()
    ]
