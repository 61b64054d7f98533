"""What a file's rules say of names, and which questions about all names can be answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from functools import cached_property

from grouper.language.automata.automaton import Automaton, bits
from grouper.language.automata.claims import (
    ALWAYS,
    NEVER,
    OPEN,
    All,
    Atom,
    Cases,
    Claim,
    Either,
    Negation,
    atoms_of,
    can_be,
    cases,
    only_grows,
)
from grouper.language.automata.explore import MAX_WORK, explore
from grouper.language.automata.meter import Meter
from grouper.language.automata.of_selector import automaton_of, claim_of
from grouper.language.ruleset import Rule, RuleSet

MAX_FILE_WORK = 14 * MAX_WORK  # for all questions about one file: a second at most
ONE_QUESTION = 50  # transitions: what the rest of a question costs
MOVES_A_TEST = 3_000
MOST_TOGETHER = 8  # tests whose results are looked at together
MOST_TESTS = 12  # of one question, where all names of the file are too much


class Names:
    """All possible names, as some tests tell them apart: one case each, with its shortest name.

    Where they are not `complete` there are further cases.
    """

    def __init__(self, tests: Sequence[Atom], automata: Sequence[Automaton], meter: Meter) -> None:
        explored = explore(automata, meter)
        self.complete = explored.complete
        self.names = list(explored.names.values())
        self.every = (1 << len(self.names)) - 1
        taken = [0] * len(tests)
        for case, taking in enumerate(explored.names):
            for index in bits(taking):
                taken[index] |= 1 << case
        self._exact = {test: each.exact for test, each in zip(tests, automata, strict=True)}
        self._of = {
            test: Cases(true if self._exact[test] else 0, self.every & ~true)
            for test, true in zip(tests, taken, strict=True)
        }

    def cases(self, claim: Claim) -> Cases:
        """Where a claim is true, and where it is false."""
        return cases(claim, self._of.__getitem__, self.every)

    def can_hold(self, claim: Claim) -> bool:
        """Whether a claim can hold for a parameter that has one name, or several."""
        tests = tuple(dict.fromkeys(atoms_of(claim)))
        if len(tests) > MOST_TOGETHER:
            return self._can_hold_apart(claim)
        results = range(1 << len(tests))
        every = (1 << len(results)) - 1
        of = {}
        for index, test in enumerate(tests):
            positive = sum(1 << result for result in results if result >> index & 1)
            of[test] = Cases(positive if self._exact[test] else 0, every & ~positive)
        false = cases(claim, of.__getitem__, every).false
        taken = [self.every & ~self._of[test].false for test in tests]
        return any(not false >> result & 1 and self._comes_out(taken, result) for result in results)

    def _comes_out(self, taken: Sequence[int], result: int) -> bool:
        """Whether names can have this combination of results.

        Each test with a one must accept some of the names, and each with a zero none of them.
        """
        among = self.every
        for index, cases_taken in enumerate(taken):
            if not result >> index & 1:
                among &= ~cases_taken
        ones = [cases_taken for index, cases_taken in enumerate(taken) if result >> index & 1]
        return bool(among) and all(cases_taken & among for cases_taken in ones)

    def _can_hold_apart(self, claim: Claim) -> bool:
        """The same, with each test taken by itself: it says yes too often, and never no wrongly."""

        def test_can_be(atom: Atom, wanted: bool) -> bool:
            found = self._of[atom]
            return bool(self.every & ~(found.false if wanted else found.true))

        return can_be(claim, True, test_can_be)

    def without(self, claim: Claim) -> Names:
        """Those of which it is not certain that the claim holds."""
        left = copy(self)
        left.every = self.every & ~self.cases(claim).true
        return left


class RuleClaims:
    """The rules of a file as claims about names.

    Every question is answered or left open: there is a limit for the work on one, and on all of
    them together.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules.rules
        self._selected = {id(rule): _selected(rule) for rule in rules.rules}
        self._left = MAX_FILE_WORK
        self._read: dict[tuple[Atom, ...], Names] = {}

    def selected(self, rule: Rule) -> Claim:
        """That the rule's selector matches, regardless of what earlier rules took."""
        return self._selected[id(rule)]

    def matched(self, rule: Rule) -> Claim:
        """That the rule matches: not what an earlier rule of its block took, if it has `else`."""
        if not rule.otherwise:
            return self.selected(rule)
        return All((self.selected(rule), Negation(Either(tuple(self._before(rule))))))

    def _before(self, rule: Rule) -> Iterator[Claim]:
        for other in self._rules:
            if other is rule:
                return
            if other.split == rule.split:
                yield self.selected(other)

    def can_meet(self, rule: Rule, other: Rule) -> bool:
        """Whether the selectors of both rules may match one name."""
        return self.is_empty(All((self.selected(rule), self.selected(other)))) is not True

    def names(self, claim: Claim) -> Iterator[str]:
        """Short names for which a claim holds in any model."""
        found = self._names(claim)
        if found is not None:
            yield from (found.names[case] for case in bits(found.cases(claim).true))

    def is_empty(self, claim: Claim, but: Claim = NEVER) -> bool | None:
        """Whether wherever the claim holds, `but` holds as well: for all parameters (True), or for
        all but those that have several names (None). False also where it is not known."""
        both = All((claim, Negation(but)))
        found = self._names(both)
        if found is None or not found.complete or found.cases(both).false != found.every:
            return False
        if only_grows(but):  # what one name has, the parameter has: such names are out of it
            return None if found.without(but).can_hold(claim) else True
        return None if found.can_hold(both) else True

    @property
    def is_exhausted(self) -> bool:
        """Whether the work allowed for one file is used up: all further questions stay open."""
        return not self._whole.complete and self._left <= 0

    def _names(self, claim: Claim) -> Names | None:
        """All names of the whole file at once, if that is not too much, else those of the claim."""
        if self._whole.complete:
            return self._whole
        if self.is_exhausted:
            return None
        tests = tuple(dict.fromkeys(atoms_of(claim)))
        return self._names_of(tests) if len(tests) <= MOST_TESTS else None

    @cached_property
    def _whole(self) -> Names:
        all_tests = (atom for claim in self._selected.values() for atom in atoms_of(claim))
        return self._names_of(tuple(dict.fromkeys(all_tests)))

    def _names_of(self, tests: tuple[Atom, ...]) -> Names:
        if tests not in self._read:
            automata = [a for atom in tests if (a := automaton_of(atom.test)) is not None]
            meter = Meter(min(MAX_WORK + MOVES_A_TEST * len(tests), max(self._left, 0)))
            self._read[tests] = Names(tests, automata, meter)
            self._left -= meter.spent + ONE_QUESTION
        return self._read[tests]


def _selected(rule: Rule) -> Claim:
    claim = claim_of(rule.selector) if rule.selector is not None else ALWAYS
    return All((claim, OPEN)) if rule.condition is not None else claim
