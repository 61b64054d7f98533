"""The numbers that captures take over the whole model: `rank`, `count`, `min` and `max`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from grouper.language.expressions import captured_names
from grouper.language.resolve.walk import calls, capture_order, comparisons
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.match import codes
from grouper.match.asked import NOTHING, asked
from grouper.match.compile_selector import compile_selector
from grouper.match.kinds import Kinds, Question
from grouper.match.shared_names import answers_by_name
from grouper.model.inventory import Inventory
from grouper.text.dataclass import dataclass
from grouper.text.findings import Finding, labels_at
from grouper.text.printable import quoted_list

Names = tuple[str, ...]
Captured = frozenset[tuple[str, int]]  # the captures of a match, by name
Numbers = tuple[int | None, ...]  # one for each capture of a family, None where a match lacks it
_BELOW_ALL = -1  # captured numbers begin at 0


@dataclass(frozen=True)
class Family:
    """The numbers that some captures of a rule take together, over all that its selector matches.

    `names` are the captures in the order in which they are written.
    """

    names: Names
    taken: frozenset[Numbers]

    @cached_property
    def whole(self) -> list[tuple[int, ...]]:
        """Those that lack no capture, in rising order."""
        return sorted(
            tuple(n for n in numbers if n is not None)
            for numbers in self.taken
            if None not in numbers
        )

    @cached_property
    def single(self) -> list[int]:
        """The numbers of the first capture, in rising order."""
        return sorted({first for first, *_ in self.taken if first is not None})

    def value(self, function: str, captures: Mapping[str, int]) -> int:
        """`rank`: how many distinct ones are smaller than those of a match, where a number that it
        lacks is smaller than all others. `count`: how many there are. `min`, `max`: of one capture.

        Raises BadValue where there is none.
        """
        if function == "rank":
            own = tuple(captures.get(name, _BELOW_ALL) for name in self.names)
            return bisect_left(self.whole, own)
        if function == "count":
            return len(self.whole)
        if not self.single:
            raise BadValue(f"no parameter of this model has a number `{self.names[0]}`", None)
        return self.single[0] if function == "min" else self.single[-1]

    @property
    def extent(self) -> str:
        """The numbers in words: `i` from 0 to 11 (12)."""
        if not self.whole:
            return "none"
        first, last = (", ".join(map(str, numbers)) for numbers in (self.whole[0], self.whole[-1]))
        return f"{first} to {last} ({len(self.whole)} of them)"


@dataclass(frozen=True)
class BlockNumbers:
    """The families that the rules of one block may speak of, by their captures."""

    families: Mapping[Names, Family]

    def knows(self, names: Names) -> bool:
        return names in self.families

    def value(self, function: str, names: Names, captures: Mapping[str, int]) -> int:
        return self.families[names].value(function, captures)


Blocks = Mapping[str | None, BlockNumbers]
NO_NUMBERS = BlockNumbers({})


def capture_numbers(rules: RuleSet, inventory: Inventory) -> tuple[Blocks, tuple[Finding, ...]]:
    """For each block the numbers that its rules speak of, over all that the capturing selectors
    match: frozen parameters, and what earlier rules take, too. And where rules disagree."""
    blocks: dict[str | None, list[Rule]] = {}
    for rule in rules.rules:
        blocks.setdefault(rule.split, []).append(rule)
    captured: dict[tree.Selector, set[Captured]] = {}
    numbers: dict[str | None, BlockNumbers] = {}
    findings: list[Finding] = []
    for split, members in blocks.items():
        families: dict[Names, Family] = {}
        for names in dict.fromkeys(name for rule in members for name in _asked(rule)):
            several = [
                (rule, _family(names, rule.selector, captured, rules, inventory))
                for rule in members
                if rule.selector is not None and set(names) <= set(capture_order(rule.selector))
            ]
            if several:
                families[names] = several[0][1]
                findings += _disagreement(names, several)
        numbers[split] = BlockNumbers(families)
    return numbers, tuple(findings)


def _asked(rule: Rule) -> Iterator[Names]:
    """The captures that a rule counts or ranks."""
    expressions = [option.value for option in rule.options]
    for comparison in comparisons(rule.condition):
        expressions += [comparison.left, comparison.right]
    for expression in expressions:
        for call in calls(expression):
            names = captured_names(call)
            if names:
                yield names


def _family(
    names: Names,
    selector: tree.Selector,
    captured: dict[tree.Selector, set[Captured]],
    rules: RuleSet,
    inventory: Inventory,
) -> Family:
    if selector not in captured:
        captured[selector] = _captured(selector, rules, inventory)
    taken = (tuple(map(dict(captures).get, names)) for captures in captured[selector])
    return Family(names, frozenset(numbers for numbers in taken if set(numbers) != {None}))


def _captured(selector: tree.Selector, rules: RuleSet, inventory: Inventory) -> set[Captured]:
    """The captures of everything that a selector matches."""
    test = compile_selector(selector, inventory, rules.variables)
    kinds = Kinds(inventory, [Question(selector, test, asked(selector), NOTHING)])
    found = {kinds.of(parameter) for parameter in inventory.parameters if not parameter.tied}
    captures = [
        alike.captures(at, numbers)
        for alike, numbers in found
        for at, (_, answer) in enumerate(alike.answers)
        if answer.truth
    ]
    for parameter in inventory.parameters:
        if parameter.tied:
            captures += [a.captures for a in answers_by_name(test, parameter).values()]
    return {frozenset(one.items()) for one in captures}


def _disagreement(names: Names, several: list[tuple[Rule, Family]]) -> Iterable[Finding]:
    """The finding where a block counts a name by which two rules capture different numbers."""
    first_rule, first = several[0]
    for rule, family in several[1:]:
        if family.taken != first.taken:
            yield Finding(
                codes.NUMBERS_DIFFER,
                f"{quoted_list(names)} is {family.extent} here and {first.extent} in another rule"
                " of the block, and the block counts it",
                labels_at(rule.span, family.extent) + labels_at(first_rule.span, first.extent),
                help=f"rename one of them, such as `{{{names[0]}2}}`",
            )
            return
