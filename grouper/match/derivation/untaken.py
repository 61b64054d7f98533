"""The rules that do not count for a parameter: they do not match, or an earlier rule took it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.match.answers import YES, Test
from grouper.match.assignment import ParameterAssignment
from grouper.match.capture_numbers import Blocks
from grouper.match.compile_selector import compile_selector
from grouper.match.conditions import Conditions
from grouper.model.inventory import Inventory, Parameter
from grouper.text.dataclass import dataclass, field

MOST_TESTS = 1_000_000  # of a selector on a parameter, for one explanation: a second


@dataclass(frozen=True)
class Untaken:
    """A rule that does not count for some parameters. `taker` is the earlier rule of its block that
    took the `hidden` ones of them, which its selector matches; the others it does not match.
    `failed` is the part of the selector that does not match, where it is one parameter and one of
    several parts."""

    rule: Rule
    taker: Rule | None = None
    hidden: int = 0
    failed: tree.Selector | None = None


@dataclass
class Untakens:
    """Asks the selectors of `else` rules again, which matching leaves out where it can."""

    rules: RuleSet
    inventory: Inventory
    numbers: Blocks
    base: Mapping[str, Parameter] | None
    tests_left: int = MOST_TESTS
    _tests: dict[int, Test] = field(default_factory=dict)

    def of(self, alike: Sequence[ParameterAssignment]) -> tuple[Untaken, ...]:
        """For parameters that the same rules match: all other rules, in file order.

        Where there are too many to ask of, the first of them speaks for all.
        """
        matched = {id(match.rule) for match in alike[0].matches}
        takers: dict[str | None, Rule] = {}
        found = []
        for rule in self.rules.rules:
            if id(rule) in matched:
                takers.setdefault(rule.split, rule)
                continue
            taker = takers.get(rule.split) if rule.otherwise else None
            hidden = self._hidden(rule, alike) if taker is not None else 0
            failed = self._failed(rule, alike[0].parameter) if len(alike) == 1 else None
            found.append(Untaken(rule, taker if hidden else None, hidden, failed))
        return tuple(found)

    def _failed(self, rule: Rule, parameter: Parameter) -> tree.Selector | None:
        parts = rule.selector.operands if isinstance(rule.selector, tree.And) else ()
        tests = ((p, compile_selector(p, self.inventory, self.rules.variables)) for p in parts)
        return next((part for part, test in tests if test(parameter).truth is False), None)

    def _hidden(self, rule: Rule, alike: Sequence[ParameterAssignment]) -> int:
        if rule.selector is None and rule.condition is None:
            return len(alike)
        test = self._test(rule)
        if self.tests_left < len(alike):
            return len(alike) if test(alike[0].parameter).truth else 0
        self.tests_left -= len(alike)
        return sum(test(assigned.parameter).truth is True for assigned in alike)

    def _test(self, rule: Rule) -> Test:
        if id(rule) not in self._tests:
            test: Test = lambda parameter: YES  # noqa: E731
            if rule.selector is not None:
                test = compile_selector(rule.selector, self.inventory, self.rules.variables)
            if rule.condition is not None:
                numbers = self.numbers[rule.split]
                conditions = Conditions(self.inventory, self.rules.variables, numbers, self.base)
                test = conditions.narrowed(test, rule.condition)
            self._tests[id(rule)] = test
        return self._tests[id(rule)]
