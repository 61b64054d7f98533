"""Selectors, compiled and asked about parameters: true, false, or unknown.

A parameter that several modules share has several names. A name, a class or `in` matches it where
it matches any of them; `and`, `or`, `not` and `else` then speak of the parameter, so that `S` and
`not S` never both match it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import comb

from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.language.syntax.regexes import degree
from grouper.language.value_errors import BadValue, Scope, compare
from grouper.match.classes import ClassTest, ancestors, owner_path
from grouper.match.globs import NONE, Captures, compile_glob
from grouper.model.inventory import Inventory, Module, Parameter

MAX_STEPS = 2 * 10**8  # of a regex's search in one name, at worst


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a selector matches a parameter, by which name, with what numbers captured.

    `truth` None: unknown, because of the selectors in `unknown`, each with a reason.
    """

    truth: bool | None
    name: str = ""
    captures: Captures = field(default_factory=dict)
    unknown: tuple[tuple[tree.Selector, str], ...] = ()


NO = Answer(False)
Test = Callable[[Parameter], Answer]


class Matcher:
    """All selectors of a rule set against one inventory; equal selectors are compiled once."""

    def __init__(self, rules: RuleSet, inventory: Inventory) -> None:
        self._rules = rules
        self._modules = inventory.modules
        self._kind = inventory.kind
        self._tests: dict[tree.Selector, Test] = {}
        self.faults: dict[tree.Selector, BadValue] = {}

    def __call__(self, selector: tree.Selector, parameter: Parameter) -> Answer:
        return self.test(selector)(parameter)

    def test(self, selector: tree.Selector) -> Test:
        """The compiled selector: a function from a parameter to an answer."""
        test = self._tests.get(selector)
        if test is None:
            test = self._tests[selector] = self._compile(selector)
        return test

    def _compile(self, selector: tree.Selector) -> Test:
        match selector:
            case tree.Glob():
                return _by_name(compile_glob(selector))
            case tree.Exact(name=exact):
                return _by_name(lambda name: NONE if name == exact else None)
            case tree.Regex():
                return self._regex(selector)
            case tree.ClassName():
                return self._class(selector)
            case tree.Within(module=tree.ClassName() as cls):
                return self._within_class(selector, cls)
            case tree.Within(module=tree.Glob() | tree.Exact() as path):
                return self._within_path(path)
            case tree.Comparison():
                return self._comparison(selector)
            case tree.Flag(name=flag):
                return _flag(selector, flag)
            case tree.Not(operand=operand):
                return self._not(operand)
            case tree.And(operands=operands):
                return self._and(operands)
            case tree.Or(operands=operands):
                return self._or(operands)
        raise TypeError(f"not a selector: {selector!r}")

    def _regex(self, selector: tree.Regex) -> Test:
        search = re.compile(selector.pattern).search
        joints = degree(selector.pattern)

        def captures(name: str) -> Captures | None:
            if comb(len(name) + joints, joints + 1) > MAX_STEPS:
                raise BadValue(
                    f"the regex could take minutes on a name of {len(name)} characters",
                    selector.span,
                    "use a glob, which takes time in proportion to the name",
                )
            found = search(name)
            if found is None:
                return None
            groups = found.groupdict().items()
            return {k: int(v) for k, v in groups if v and re.fullmatch(r"0|[1-9][0-9]*", v)}

        return self._guarded(selector, _by_name(captures))

    def _class(self, selector: tree.ClassName) -> Test:
        modules = self._modules
        if modules is None:
            return self._no_classes(selector)
        is_class, kind = ClassTest(selector), self._kind

        def test(parameter: Parameter) -> Answer:
            owners = (modules.get(owner_path(name, modules)) for name in parameter.names)
            return _any_module(selector, is_class, parameter, [o for o in owners if o], kind)

        return test

    def _within_class(self, selector: tree.Selector, cls: tree.ClassName) -> Test:
        modules = self._modules
        if modules is None:
            return self._no_classes(selector)
        is_class, kind = ClassTest(cls), self._kind

        def test(parameter: Parameter) -> Answer:
            paths = (p for name in parameter.names for p in ancestors(owner_path(name, modules)))
            found = [m for p in paths if (m := modules.get(p))]
            return _any_module(selector, is_class, parameter, found, kind)

        return test

    def _within_path(self, path: tree.Glob | tree.Exact) -> Test:
        matches = (
            compile_glob(path)
            if isinstance(path, tree.Glob)
            else lambda name: NONE if name == path.name else None
        )
        known: dict[str, Captures | None] = {}

        def captures(name: str) -> Captures | None:
            owner = owner_path(name, self._modules)
            if owner not in known:
                found = (matches(above) for above in ancestors(owner))
                known[owner] = next((c for c in found if c is not None), None)
            return known[owner]

        return _by_name(captures)

    def _comparison(self, selector: tree.Comparison) -> Test:
        def test(parameter: Parameter) -> Answer:
            scope = Scope(self._rules.variables, parameter=parameter)
            truth = compare(selector, scope)
            if truth is None:
                reason = f"the {self._kind} does not tell it"
                return Answer(None, unknown=((selector, reason),))
            return Answer(truth, parameter.name)

        return self._guarded(selector, test)

    def _guarded(self, selector: tree.Selector, test: Test) -> Test:
        """A selector that fails for some parameter matches none of those; once is said why."""

        def guarded(parameter: Parameter) -> Answer:
            try:
                return test(parameter)
            except BadValue as fault:
                self.faults.setdefault(selector, fault)
                return NO

        return guarded

    def _no_classes(self, selector: tree.Selector) -> Test:
        answer = Answer(None, unknown=((selector, f"a {self._kind} has no classes"),))
        return lambda parameter: answer

    def _not(self, operand: tree.Selector) -> Test:
        ask = self.test(operand)

        def test(parameter: Parameter) -> Answer:
            inner = ask(parameter)
            if inner.truth is None:
                return inner
            return NO if inner.truth else Answer(True, parameter.name)

        return test

    def _and(self, operands: tuple[tree.Selector, ...]) -> Test:
        tests = [self.test(operand) for operand in operands]

        def test(parameter: Parameter) -> Answer:
            answers = [ask(parameter) for ask in tests]
            if any(answer.truth is False for answer in answers):
                return NO
            unknown = tuple(_unknown(answers))
            if unknown:
                return Answer(None, unknown=unknown)
            captures: dict[str, int] = {}
            for answer in answers:
                for name, value in answer.captures.items():
                    if captures.setdefault(name, value) != value:
                        return NO
            return Answer(True, answers[0].name, captures)

        return test

    def _or(self, operands: tuple[tree.Selector, ...]) -> Test:
        tests = [self.test(operand) for operand in operands]

        def test(parameter: Parameter) -> Answer:
            answers = [ask(parameter) for ask in tests]
            for answer in answers:
                if answer.truth:
                    return answer
            unknown = tuple(_unknown(answers))
            return Answer(None, unknown=unknown) if unknown else NO

        return test


def _by_name(captures: Callable[[str], Captures | None]) -> Test:
    def test(parameter: Parameter) -> Answer:
        for name in parameter.names:
            found = captures(name)
            if found is not None:
                return Answer(True, name, found)
        return NO

    return test


def _flag(selector: tree.Selector, flag: str) -> Test:
    def test(parameter: Parameter) -> Answer:
        truth = parameter.tied if flag == "tied" else parameter.trainable
        if truth is None:
            reason = "the file does not tell what is trained"
            return Answer(None, unknown=((selector, reason),))
        return Answer(truth, parameter.name)

    return test


def _any_module(
    selector: tree.Selector,
    is_class: ClassTest,
    parameter: Parameter,
    modules: list[Module],
    kind: str,
) -> Answer:
    unsure: dict[str, None] = {}
    inferred = False
    for module in modules:
        truth = is_class(module)
        if truth:
            return Answer(True, parameter.name)
        if truth is None and module.inferred:
            inferred = True
        elif truth is None:
            unsure[module.cls] = None
    if inferred:
        return Answer(None, unknown=((selector, f"a {kind} has no classes"),))
    if not unsure:
        return NO
    names = ", ".join(f"`{cls}`" for cls in unsure)
    return Answer(None, unknown=((selector, f"the bases of {names} are not known"),))


def _unknown(answers: list[Answer]) -> Iterator[tuple[tree.Selector, str]]:
    for answer in answers:
        yield from answer.unknown
