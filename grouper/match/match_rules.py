"""The first pass: which rules match each parameter."""

from __future__ import annotations

from collections.abc import Mapping

from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import selector_text
from grouper.language.value_errors import BadValue
from grouper.match import codes
from grouper.match.answers import YES, Test
from grouper.match.asked import asked
from grouper.match.assignment import Combination, Matches, UnansweredSelector
from grouper.match.capture_numbers import NO_NUMBERS, Blocks, capture_numbers
from grouper.match.compile_selector import compile_selector
from grouper.match.conditions import Conditions
from grouper.match.decided import Candidate, Decided, OpenQuestion
from grouper.match.kinds import Kinds, Question
from grouper.match.tied_numbers import tied_numbers
from grouper.model.inventory import Inventory, Parameter
from grouper.text.dataclass import replace
from grouper.text.findings import Finding, labels_at

MAX_TESTS = 50_000_000  # selectors asked about parameters: about a minute
MAX_MATCHES = 10_000_000  # rules that match, over all parameters: about a gigabyte


def match_rules(
    rules: RuleSet, inventory: Inventory, base: Mapping[str, Parameter] | None = None
) -> Matches:
    """The rules that match each parameter. Never raises: what fails is a finding.

    `base` has the parameters of the base model, by name.
    """
    numbers, disagreements = capture_numbers(rules, inventory)
    candidates = _candidates(rules, inventory, numbers, base)
    kinds = Kinds(inventory, _questions(candidates, inventory, rules))
    decided = Decided(rules, candidates)
    problems: dict[tree.Selector, BadValue] = {}
    open_questions: dict[OpenQuestion, list[Parameter]] = {}
    combinations: list[Combination] = []
    numbers_of: list[tuple[str, ...]] = []
    total = 0
    for parameter in inventory.parameters:
        found = kinds.of(parameter)
        decision = decided.of(found, parameter)
        combinations.append(decision.combination)
        numbers_of.append(found[1])
        total += decision.size
        if kinds.tests > MAX_TESTS or total > MAX_MATCHES:
            return Matches(
                rules, inventory, (), (), limit=_limit(rules, inventory, kinds.tests, total)
            )
        for question in decision.questions:
            open_questions.setdefault(question, []).append(parameter)
        for selector, error in decision.problems:
            problems.setdefault(selector, error)
    matches = Matches(
        rules,
        inventory,
        tuple(combinations),
        tuple(numbers_of),
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
    return replace(matches, findings=(*matches.findings, *tied_numbers(matches)))


def _candidates(
    rules: RuleSet,
    inventory: Inventory,
    numbers: Blocks,
    base: Mapping[str, Parameter] | None,
) -> list[Candidate]:
    """The different selectors with their conditions, in the order of their first rules."""
    indexes: dict[tuple[tree.Selector | None, tree.Selector | None, str | None], list[int]] = {}
    for index, rule in enumerate(rules.rules):
        block = rule.split if rule.condition is not None else None
        indexes.setdefault((rule.selector, rule.condition, block), []).append(index)
    return [
        Candidate(
            selector,
            condition,
            Conditions(inventory, rules.variables, numbers.get(block, NO_NUMBERS), base),
            tuple(of_rules),
        )
        for (selector, condition, block), of_rules in indexes.items()
    ]


def _questions(candidates: list[Candidate], inventory: Inventory, rules: RuleSet) -> list[Question]:
    """The candidates' selectors, as questions about parameters."""
    tests: dict[tree.Selector | None, Test] = {None: lambda parameter: YES}
    questions = []
    for candidate in candidates:
        selector = candidate.selector
        if selector is not None and selector not in tests:
            tests[selector] = compile_selector(selector, inventory, rules.variables)
        questions.append(
            Question(selector, tests[selector], asked(selector), asked(candidate.condition))
        )
    return questions


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
    sizes = f"{len(rules.rules):,} rules on {len(inventory.parameters):,} tensors"
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
