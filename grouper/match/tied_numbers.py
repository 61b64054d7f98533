"""Shared parameters whose names give a rule's captures different numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grouper.language.expressions import captured_names
from grouper.language.resolve.walk import calls, comparisons, possible_captures, words
from grouper.language.ruleset import Rule
from grouper.language.syntax import tree
from grouper.match import codes
from grouper.match.answers import Test
from grouper.match.assignment import Match, Matches
from grouper.match.compile_selector import compile_selector
from grouper.match.shared_names import answers_by_name
from grouper.model.inventory import Parameter
from grouper.text.findings import Finding, labels_at
from grouper.text.printable import shortened


def tied_numbers(matches: Matches) -> Iterator[Finding]:
    """One finding for each rule that would have to choose among the numbers of a shared parameter,
    with its parameters.
    """
    tied = [
        (parameter, combination.matches(numbers))
        for parameter, combination, numbers in zip(
            matches.inventory.parameters, matches.combinations, matches.captured, strict=True
        )
        if parameter.tied
    ]
    if not tied:
        return
    for rule in matches.rules.rules:
        used = _used(rule)
        if not used or rule.selector is None:
            continue
        test = compile_selector(rule.selector, matches.inventory, matches.rules.variables)
        several = [
            (parameter, numbers)
            for parameter, found in tied
            if _concerns(matches.rules.rules, rule, found)
            and len(set((numbers := _numbers(test, parameter, used)).values())) > 1
        ]
        if several:
            yield _finding(rule, used, several)


def _used(rule: Rule) -> tuple[str, ...]:
    """The captures whose numbers a rule's label, values or condition take of each match."""
    captured = possible_captures(rule.selector)
    if not captured:
        return ()
    expressions: list[tree.Expression] = [option.value for option in rule.options]
    for comparison in comparisons(rule.condition):
        expressions += [comparison.left, comparison.right]
    pieces = rule.label.pieces if rule.label else ()
    found = {piece.name for piece in pieces if isinstance(piece, tree.Word)}
    for expression in expressions:
        counted = [call for call in calls(expression) if captured_names(call)]
        inside = {id(argument) for call in counted for argument in call.arguments}
        found |= {word.name for word, _ in words(expression) if id(word) not in inside}
        found |= {n for c in counted if c.function == "rank" for n in captured_names(c)}
    return tuple(sorted(found & captured))


def _concerns(rules: tuple[Rule, ...], rule: Rule, found: tuple[Match, ...]) -> bool:
    """Whether a rule takes a parameter, or could by one of its numbers, as `where` asks for them.

    It does not where it begins with `else` and an earlier rule of its block takes the parameter.
    """
    if any(match.rule is rule for match in found):
        return True
    if rule.condition is None:
        return False
    place = {id(one): at for at, one in enumerate(rules)}
    earlier = (
        m for m in found if m.rule.split == rule.split and place[id(m.rule)] < place[id(rule)]
    )
    return not (rule.otherwise and any(earlier))


def _numbers(
    test: Test, parameter: Parameter, used: tuple[str, ...]
) -> Mapping[str, tuple[int | None, ...]]:
    """The numbers that each name gives."""
    return {
        name: tuple(answer.captures.get(capture) for capture in used)
        for name, answer in answers_by_name(test, parameter).items()
    }


def _finding(
    rule: Rule,
    used: tuple[str, ...],
    several: list[tuple[Parameter, Mapping[str, tuple[int | None, ...]]]],
) -> Finding:
    _, numbers = several[0]
    first, *_ = given = list(numbers.items())
    other = next(one for one in given if one[1] != first[1])
    at = next(i for i, (a, b) in enumerate(zip(first[1], other[1], strict=True)) if a != b)
    said = " and ".join(
        f"{'nothing' if values[at] is None else values[at]} by `{shortened(name)}`"
        for name, values in (first, other)
    )
    return Finding(
        codes.TIED_NUMBERS,
        f"the number `{used[at]}` of a shared parameter is {said}, and this rule uses it",
        labels_at(rule.span),
        tuple(parameter.name for parameter, _ in several),
        help="give it a rule of its own in front of this one, such as"
        " `tied and layers.* -> shared`, and begin this one with `else`",
    )
