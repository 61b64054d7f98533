"""What a rule is for, regardless of what other rules take: its selector and its condition."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.language.ruleset import Rule, RuleSet
from grouper.match.answers import YES, Answer, Test
from grouper.match.capture_numbers import capture_numbers
from grouper.match.compile_selector import compile_selector
from grouper.match.conditions import Conditions
from grouper.model.inventory import Inventory, Parameter


def compile_rule(
    rule: Rule, rules: RuleSet, inventory: Inventory, base: Mapping[str, Parameter] | None
) -> Test:
    """The rule's selector and condition as a function from a parameter to an answer; `base` has
    the parameters of the base model, by name."""
    test = selects(rule, rules, inventory)
    if rule.condition is None:
        return test
    numbers, _ = capture_numbers(rules, inventory)
    conditions = Conditions(inventory, rules.variables, numbers[rule.split], base)
    return conditions.narrowed(test, rule.condition)


def selects(rule: Rule, rules: RuleSet, inventory: Inventory) -> Test:
    """What precedes `where`, as a function from a parameter to an answer."""
    if rule.selector is None:
        return _everything
    return compile_selector(rule.selector, inventory, rules.variables)


def _everything(parameter: Parameter) -> Answer:
    return YES
