"""The rules that match, from the answers of their selectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from grouper.language.ruleset import RuleSet
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.match.answers import Answer, where
from grouper.match.assignment import Combination
from grouper.match.conditions import Conditions
from grouper.match.kinds import Alike, Found, Places
from grouper.model.inventory import Parameter
from grouper.text.dataclass import dataclass

OpenQuestion: TypeAlias = tuple[int, tree.Selector, str]  # a rule's index, what is not known, why


@dataclass(frozen=True)
class Candidate:
    """A selector (None: a bare `else`), its condition, and its rules' indexes."""

    selector: tree.Selector | None
    condition: tree.Selector | None
    conditions: Conditions
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The rules that match parameters that are alike, what is not known, and what fails.

    `size` is the number of rules.
    """

    combination: Combination
    size: int
    questions: tuple[OpenQuestion, ...]
    problems: tuple[tuple[tree.Selector, BadValue], ...]


_Said: TypeAlias = list[tuple[Candidate, Answer, Places]]


class Decided:
    """The outcomes for parameters; those for which all selectors and conditions say the same share
    one."""

    def __init__(self, rules: RuleSet, candidates: list[Candidate]) -> None:
        self._rules = rules
        self._candidates = candidates
        self._outcomes: dict[object, Outcome] = {}
        self._by_answers: dict[object, Outcome] = {}
        self._combinations: dict[object, Combination] = {}
        self._held: dict[object, Answer] = {}
        self._conditional: dict[Alike, tuple[tuple[int, ...], tuple[int, ...]]] = {}

    def of(self, found: Found, parameter: Parameter) -> Outcome:
        """The outcome for a parameter, of which the answers to selectors are given."""
        alike, numbers = found
        outcome = self._outcomes.get(alike)
        if outcome is not None:
            return outcome
        conditional, places = self._conditional.get(alike) or self._with_condition(alike)
        key = (alike, tuple([numbers[place] for place in places])) if conditional else alike
        outcome = self._outcomes.get(key)
        if outcome is None:
            held = {at: self._holds(alike, numbers, at, parameter) for at in conditional}
            outcome = self._outcomes[key] = self._outcome_of(alike, held)
        return outcome

    def _with_condition(self, alike: Alike) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The answers after the condition, and the positions of the numbers that they capture."""
        conditional = tuple(
            at
            for at, (index, answer) in enumerate(alike.answers)
            if answer.truth and self._candidates[index].condition is not None
        )
        places = tuple({place for at in conditional for _, place in alike.places[at]})
        self._conditional[alike] = conditional, places
        return conditional, places

    def _outcome_of(self, alike: Alike, held: Mapping[int, Answer]) -> Outcome:
        key = (alike, *((at, id(answer)) for at, answer in held.items()))
        outcome = self._by_answers.get(key)
        if outcome is None:
            outcome = self._by_answers[key] = self._outcome(alike, held)
        return outcome

    def _holds(
        self, alike: Alike, numbers: tuple[str, ...], at: int, parameter: Parameter
    ) -> Answer:
        """The answer of a condition, evaluated once for the same numbers and facts."""
        index = alike.answers[at][0]
        own = tuple([(name, numbers[place]) for name, place in alike.places[at]])
        key = index, own, alike.given
        answer = self._held.get(key)
        if answer is None:
            candidate, captures = self._candidates[index], alike.captures(at, numbers)
            assert candidate.condition is not None
            answer = candidate.conditions.answer(candidate.condition, parameter, captures)
            self._held[key] = answer
        return answer

    def _outcome(self, alike: Alike, conditions: Mapping[int, Answer]) -> Outcome:
        said: _Said = []
        for at, (index, answer) in enumerate(alike.answers):
            if at in conditions:
                answer = where(answer, conditions[at])
            said.append((self._candidates[index], answer, alike.places[at]))
        said, taken = _asked(self._rules, said)
        combination = self._combination(said)
        return Outcome(
            combination,
            len(combination.rules),
            tuple(q for c, answer, _ in said for q in _open(self._rules, c, answer, taken)),
            tuple(problem for _, answer, _ in said for problem in answer.problems),
        )

    def _combination(self, said: _Said) -> Combination:
        by_rule = {i: (a, places) for c, a, places in said if a.truth for i in c.rules}
        taken: set[str | None] = set()
        kept = []
        for index in sorted(by_rule):
            rule = self._rules.rules[index]
            if not (rule.otherwise and rule.split in taken):
                taken.add(rule.split)
                kept.append(index)
        names = tuple(by_rule[index][0].name_index for index in kept)
        places = tuple(by_rule[index][1] for index in kept)
        made = Combination(tuple(self._rules.rules[index] for index in kept), names, places)
        return self._combinations.setdefault((tuple(kept), names, places), made)


def _asked(rules: RuleSet, said: _Said) -> tuple[_Said, Mapping[str | None, int]]:
    """The answers other than no; and for each block, the first rule that takes the parameter.

    A selector is not asked where all of its rules begin with `else` and come too late."""
    kept: _Said = []
    taken: dict[str | None, int] = {}
    for candidate, answer, places in said:
        if taken and all(_too_late(rules, index, taken) for index in candidate.rules):
            continue
        if answer.truth:
            for index in candidate.rules:
                split = rules.rules[index].split
                taken[split] = min(index, taken.get(split, index))
        if answer.truth is not False or answer.problems:
            kept.append((candidate, answer, places))
    return kept, taken


def _too_late(rules: RuleSet, index: int, taken: Mapping[str | None, int]) -> bool:
    """Whether a rule begins with `else`, and an earlier one of its block takes the parameter."""
    rule = rules.rules[index]
    return rule.otherwise and taken.get(rule.split, index) < index


def _open(
    rules: RuleSet, candidate: Candidate, answer: Answer, taken: Mapping[str | None, int]
) -> Iterator[OpenQuestion]:
    if answer.truth is None:
        for index in candidate.rules:
            if not _too_late(rules, index, taken):
                for selector, reason in answer.unanswered:
                    yield index, selector, reason
