"""The first pass: which rules match each parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from grouper.findings import Finding, labels_at
from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import selector_text
from grouper.language.value_errors import BadValue
from grouper.match import codes
from grouper.match.answers import YES, Answer, Test
from grouper.match.assignment import Match, Matches, UnansweredSelector
from grouper.match.capture_numbers import Blocks, capture_numbers
from grouper.match.compile_selector import compile_selector
from grouper.match.conditions import Conditions
from grouper.match.name_starts import name_starts
from grouper.model.inventory import Inventory, Parameter

MAX_TESTS = 50_000_000  # selectors asked about parameters: about a minute
MAX_MATCHES = 10_000_000  # rules that match, over all parameters: about a gigabyte


@dataclass(frozen=True)
class _Candidate:
    """A selector (None: a bare `else`), its test with its condition, and its rules' indexes."""

    selector: tree.Selector | None
    test: Test
    rules: tuple[int, ...]


Answers = list[tuple[_Candidate, Answer]]


def match_rules(
    rules: RuleSet, inventory: Inventory, base: Mapping[str, Parameter] | None = None
) -> Matches:
    """The rules that match each parameter. Never raises: what fails is a finding.

    `base` has the parameters of the base model, by name.
    """
    numbers, disagreements = capture_numbers(rules, inventory)
    candidates_of = _by_start(_candidates(rules, inventory, numbers, base))
    shared: dict[object, tuple[Match, ...]] = {}
    problems: dict[tree.Selector, BadValue] = {}
    open_questions: dict[tuple[int, tree.Selector, str], list[Parameter]] = {}
    of_parameters, tests, total = [], 0, 0
    for parameter in inventory.parameters:
        candidates = candidates_of(parameter)
        answers, taken = _answers(rules, candidates, parameter)
        key = tuple(
            (candidate.rules[0], answer.name_index, *answer.captures.items())
            for candidate, answer in answers
            if answer.truth
        )
        matches = shared.get(key)
        if matches is None:
            matches = shared[key] = _matches(rules, answers)
        of_parameters.append(matches)
        for candidate, answer in answers:
            problems |= {s: e for s, e in answer.problems if s not in problems}
            for question in _questions(rules, candidate, answer, taken):
                open_questions.setdefault(question, []).append(parameter)
        tests, total = tests + len(candidates), total + len(matches)
        if tests > MAX_TESTS or total > MAX_MATCHES:
            return Matches(rules, inventory, (), limit=_limit(rules, inventory, tests, total))
    return Matches(
        rules,
        inventory,
        tuple(of_parameters),
        tuple(
            UnansweredSelector(
                rules.rules[index], selector, _question(selector), reason, tuple(parameters)
            )
            for (index, selector, reason), parameters in open_questions.items()
        ),
        (*disagreements, *(_bad_selector(s, error) for s, error in problems.items())),
        numbers=numbers,
        base=base,
    )


def _candidates(
    rules: RuleSet,
    inventory: Inventory,
    numbers: Blocks,
    base: Mapping[str, Parameter] | None,
) -> list[_Candidate]:
    """The different selectors with their conditions, in the order of their first rules."""
    indexes: dict[tuple[tree.Selector | None, tree.Selector | None, str | None], list[int]] = {}
    for index, rule in enumerate(rules.rules):
        block = rule.split if rule.condition is not None else None
        indexes.setdefault((rule.selector, rule.condition, block), []).append(index)
    tests: dict[tree.Selector | None, Test] = {None: lambda parameter: YES}
    candidates = []
    for (selector, condition, block), of_rules in indexes.items():
        if selector is not None and selector not in tests:
            tests[selector] = compile_selector(selector, inventory, rules.variables)
        test = tests[selector]
        if condition is not None:
            conditions = Conditions(inventory, rules.variables, numbers[block], base)
            test = conditions.narrowed(test, condition)
        candidates.append(_Candidate(selector, test, tuple(of_rules)))
    return candidates


def _by_start(candidates: list[_Candidate]) -> Callable[[Parameter], list[_Candidate]]:
    """The selectors that may match a parameter: all but the names and globs that start otherwise.

    A file of a rule a layer then costs each parameter a few look-ups, and not a test a layer.
    """
    anywhere: list[int] = []
    starts: dict[int, dict[str, list[int]]] = {}
    for index, candidate in enumerate(candidates):
        begins = name_starts(candidate.selector)
        for start in begins:
            starts.setdefault(len(start), {}).setdefault(start, []).append(index)
        if not begins:
            anywhere.append(index)

    def candidates_of(parameter: Parameter) -> list[_Candidate]:
        indexes = {
            index
            for name in parameter.names
            for length, by_text in starts.items()
            for index in by_text.get(name[:length], ())
        }
        return [candidates[index] for index in sorted([*anywhere, *indexes])]

    return candidates_of


def _answers(
    rules: RuleSet, candidates: list[_Candidate], parameter: Parameter
) -> tuple[Answers, Mapping[str | None, int]]:
    """The answers other than no; and for each block, the first rule that takes the parameter.

    A selector is not asked where all of its rules begin with `else` and come too late."""
    answers: Answers = []
    taken: dict[str | None, int] = {}
    for candidate in candidates:
        if taken and all(_too_late(rules, index, taken) for index in candidate.rules):
            continue
        answer = candidate.test(parameter)
        if answer.truth:
            for index in candidate.rules:
                split = rules.rules[index].split
                taken[split] = min(index, taken.get(split, index))
        if answer.truth is not False or answer.problems:
            answers.append((candidate, answer))
    return answers, taken


def _too_late(rules: RuleSet, index: int, taken: Mapping[str | None, int]) -> bool:
    """Whether a rule begins with `else`, and an earlier one of its block takes the parameter."""
    rule = rules.rules[index]
    return rule.otherwise and taken.get(rule.split, index) < index


def _matches(rules: RuleSet, answers: Answers) -> tuple[Match, ...]:
    by_rule = {i: answer for c, answer in answers if answer.truth for i in c.rules}
    taken: set[str | None] = set()
    matches = []
    for index in sorted(by_rule):
        rule, answer = rules.rules[index], by_rule[index]
        if not (rule.otherwise and rule.split in taken):
            taken.add(rule.split)
            matches.append(Match(rule, answer.captures, answer.name_index))
    return tuple(matches)


def _questions(
    rules: RuleSet, candidate: _Candidate, answer: Answer, taken: Mapping[str | None, int]
) -> Iterator[tuple[int, tree.Selector, str]]:
    if answer.truth is None:
        for index in candidate.rules:
            if not _too_late(rules, index, taken):
                for selector, reason in answer.unanswered:
                    yield index, selector, reason


def _question(selector: tree.Selector) -> str:
    return selector.span.text if selector.span is not None else selector_text(selector)


def _bad_selector(selector: tree.Selector, error: BadValue) -> Finding:
    place = error.span or selector.span
    return Finding(
        codes.BAD_SELECTOR,
        error.message,
        labels_at(place),
        help=error.help or "correct the comparison",
    )


def _limit(rules: RuleSet, inventory: Inventory, tests: int, total: int) -> Finding:
    sizes = f"{len(rules.rules):,} rules on {len(inventory.parameters):,} parameters"
    if total > MAX_MATCHES:
        return Finding(
            codes.TOO_MUCH_WORK,
            f"{sizes}: they match more than {MAX_MATCHES:,} times",
            help="begin rules with `else`, so that fewer of them match one parameter",
        )
    return Finding(
        codes.TOO_MUCH_WORK,
        f"{sizes}: more than {MAX_TESTS:,} selectors would be asked",
        help="write names and globs that start with the module's path, such as `layers.3.*`:"
        " they are asked of the names that start so, and of no others",
    )
