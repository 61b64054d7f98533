"""Selectors, compiled to tests of parameters.

A parameter that several modules share has several names. A name, a class or `in` matches it where
it matches any of them; `and`, `or`, `not` and `else` then speak of the parameter, so that `S` and
`not S` never both match it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import comb
from typing import assert_never

from grouper.language.expressions import Scope, compare
from grouper.language.syntax import tree
from grouper.language.syntax.regexes import degree
from grouper.language.value_errors import BadValue
from grouper.match.answers import (
    NO,
    YES,
    Answer,
    Test,
    by_name,
    conjunction,
    disjunction,
    guarded,
    negation,
)
from grouper.match.captures import NONE, Captured, Captures, NameTest
from grouper.match.classes import ClassTest, ancestors, owner_path
from grouper.match.globs import compile_glob
from grouper.model.inventory import Inventory, Module, Parameter
from grouper.options.values import Value
from grouper.text.dataclass import dataclass

MAX_STEPS = 2 * 10**8  # of a regex's search in one name, at worst


def compile_selector(
    selector: tree.Selector, inventory: Inventory, variables: Mapping[str, Value]
) -> Test:
    """The selector as a function from a parameter of this inventory to an answer."""
    return _Compiler(inventory, variables).test(selector)


@dataclass(frozen=True)
class _Compiler:
    inventory: Inventory
    variables: Mapping[str, Value]

    def test(self, selector: tree.Selector) -> Test:
        match selector:
            case tree.Glob() | tree.Exact():
                return guarded(selector, by_name(_name_test(selector)))
            case tree.Regex():
                return guarded(selector, by_name(_regex(selector)))
            case tree.ClassName():
                return self._class(selector)
            case tree.Within(module=module):
                if isinstance(module, tree.ClassName):
                    return self._within_class(selector, module)
                return guarded(selector, by_name(self._within_path(module)))
            case tree.Comparison():
                return guarded(selector, self._comparison(selector))
            case tree.Flag():
                return _flag(selector)
            case tree.Has():
                return self._has(selector)
            case tree.Not(operand=operand):
                return negation(self.test(operand))
            case tree.And(operands=operands):
                return conjunction([*map(self.test, operands)])
            case tree.Or(operands=operands):
                return disjunction([*map(self.test, operands)])
            case _:
                assert_never(selector)

    def _class(self, selector: tree.ClassName) -> Test:
        modules = self.inventory.modules
        if modules is None:
            return self._no_classes(selector)
        is_class = ClassTest(selector)

        def test(parameter: Parameter) -> Answer:
            owners = (modules.get(owner_path(name, modules)) for name in parameter.names)
            return self._any_module(selector, is_class, [owner for owner in owners if owner])

        return guarded(selector, test)

    def _within_class(self, selector: tree.Selector, cls: tree.ClassName) -> Test:
        modules = self.inventory.modules
        if modules is None:
            return self._no_classes(selector)
        is_class = ClassTest(cls)

        def test(parameter: Parameter) -> Answer:
            paths = (p for name in parameter.names for p in ancestors(owner_path(name, modules)))
            above = [module for path in paths if (module := modules.get(path))]
            return self._any_module(selector, is_class, above)

        return guarded(selector, test)

    def _within_path(self, path: tree.Glob | tree.Exact) -> NameTest:
        matches, modules = _name_test(path), self.inventory.modules
        by_owner: dict[str, Captures | None] = {}

        def captures_of(name: str) -> Captures | None:
            owner = owner_path(name, modules)
            if owner not in by_owner:
                answers = (matches(above) for above in ancestors(owner))
                by_owner[owner] = next((c for c in answers if c is not None), None)
            return by_owner[owner]

        return captures_of

    def _has(self, selector: tree.Has) -> Test:
        marks = self.inventory.marks
        carriers = marks.of(selector.name) if marks is not None else None
        if carriers is None:
            reason = f"a {self.inventory.kind} does not say which parameters have `{selector.name}`"
            answer = Answer(None, unanswered=((selector, reason),))
            return lambda parameter: answer
        return lambda parameter: NO if carriers.isdisjoint(parameter.names) else YES

    def _comparison(self, selector: tree.Comparison) -> Test:
        unknown = Answer(None, unanswered=((selector, f"a {self.inventory.kind} does not say"),))

        def test(parameter: Parameter) -> Answer:
            truth = compare(selector, Scope(self.variables, parameter=parameter))
            return unknown if truth is None else YES if truth else NO

        return test

    def _no_classes(self, selector: tree.Selector) -> Test:
        answer = Answer(None, unanswered=((selector, self._why_no_classes),))
        return lambda parameter: answer

    @property
    def _why_no_classes(self) -> str:
        return f"a {self.inventory.kind} has no classes"

    def _any_module(
        self, selector: tree.Selector, is_class: ClassTest, modules: list[Module]
    ) -> Answer:
        answers = [(module, is_class(module)) for module in modules]
        if any(truth for _, truth in answers):
            return YES
        unsure = [module for module, truth in answers if truth is None]
        if unsure and is_class.asks_for_layers:
            unsure = [module for module in unsure if module.path not in self.inventory.holders]
        if any(module.inferred for module in unsure):
            return Answer(None, unanswered=((selector, self._why_no_classes),))
        if not unsure:
            return NO
        classes = ", ".join(f"`{cls}`" for cls in dict.fromkeys(module.cls for module in unsure))
        return Answer(None, unanswered=((selector, f"the bases of {classes} are not known"),))


def _name_test(selector: tree.Glob | tree.Exact) -> NameTest:
    if isinstance(selector, tree.Glob):
        return compile_glob(selector)
    exact = selector.name
    return lambda name: NONE if name == exact else None


def _regex(selector: tree.Regex) -> NameTest:
    search = re.compile(selector.pattern).search
    joints = degree(selector.pattern)

    def captures_of(name: str) -> Captures | None:
        if comb(len(name) + joints, joints + 1) > MAX_STEPS:
            raise BadValue(
                f"the regex could take minutes on a name of {len(name)} characters",
                selector.span,
                "use a glob, which takes time in proportion to the name",
            )
        result = search(name)
        if result is None:
            return None
        groups = result.groupdict().items()
        return {
            key: Captured(name, *result.span(key))
            for key, value in groups
            if value and re.fullmatch(r"0|[1-9][0-9]*", value)
        }

    return captures_of


def _flag(selector: tree.Flag) -> Test:
    unknown = Answer(None, unanswered=((selector, "the file does not say what is trained"),))

    def test(parameter: Parameter) -> Answer:
        truth = parameter.tied if selector.name == "tied" else parameter.trainable
        return unknown if truth is None else YES if truth else NO

    return test
