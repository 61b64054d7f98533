"""A conversion for one model: what only the model tells is settled.

Rules that match nothing stay as comments, which say what the system does about them. Systems know a
shared parameter by the first of its names, where a selector matches any of them: a rule with that
name puts it where the system has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import assert_never

from grouper.convert.converted import Case, Converted, Line, Part, Pattern, Table, lost, note
from grouper.convert.labels import word
from grouper.convert.options import FREEZE
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import rule_text
from grouper.match.match_rules import match_rules
from grouper.model.inventory import Inventory

_SHARED = "it is shared by several modules, and known there by this name alone"


@dataclass(frozen=True)
class _Facts:
    """For each parameter the selectors that match it, by its first name and by all of them;
    `unsure` are those that the model's file cannot answer."""

    names: tuple[str, ...]
    by_first: tuple[frozenset[tree.Selector], ...]
    by_any: tuple[frozenset[tree.Selector], ...]
    unsure: frozenset[tree.Selector]

    def matches(self, selector: tree.Selector) -> bool:
        return selector in self.unsure or any(selector in found for found in self.by_first)


def fitted(converted: Converted, inventory: Inventory, system: str, on_dead: str) -> Converted:
    """The conversion as it is right for the model. `on_dead` is what the system does about a
    pattern that matches nothing."""
    facts = _facts(converted, inventory)
    parts: list[Part] = []
    for part in converted.parts:
        match part:
            case Table():
                parts.append(_table(part, facts, system, on_dead))
            case Line():
                parts += _line(part, facts, f"{system} {on_dead}")
            case _:
                assert_never(part)
    return replace(converted, parts=tuple(parts))


def _facts(converted: Converted, inventory: Inventory) -> _Facts:
    selectors = list(dict.fromkeys(_selectors(converted)))
    first = replace(
        inventory, parameters=tuple(replace(p, names=p.names[:1]) for p in inventory.parameters)
    )
    by_first, unsure = _matches(selectors, first)
    by_any, _ = _matches(selectors, inventory)
    return _Facts(tuple(p.name for p in inventory.parameters), by_first, by_any, unsure)


def _selectors(converted: Converted) -> Iterator[tree.Selector]:
    for part in converted.parts:
        if isinstance(part, Table):
            yield from (p.selector for case in part.cases for p in case.patterns)
        elif isinstance(part.statement, tree.Rule) and part.statement.selector is not None:
            yield part.statement.selector


def _matches(
    selectors: list[tree.Selector], inventory: Inventory
) -> tuple[tuple[frozenset[tree.Selector], ...], frozenset[tree.Selector]]:
    numbers = count()
    rules = tuple(Rule(selector, word(f"p{next(numbers)}")) for selector in selectors)
    found = match_rules(RuleSet(rules), inventory)
    matched = tuple(
        frozenset(m.rule.selector for m in matches if m.rule.selector is not None)
        for matches in found.of_parameters
    )
    unsure = (u.rule.selector for u in found.unanswered)
    return matched, frozenset(selector for selector in unsure if selector is not None)


def _table(table: Table, facts: _Facts, system: str, on_dead: str) -> Table:
    cases = tuple(_live_patterns(case, facts, f"{system} {on_dead}") for case in table.cases)
    if table.exclusive:
        return _exclusive(replace(table, cases=cases), facts, system)
    chosen = [_chosen(cases, found) for found in facts.by_first]
    cases = tuple(
        replace(case, dropped=_SHADOWED)
        if case.dropped is None and index not in chosen and not _stays(case, facts)
        else case
        for index, case in enumerate(cases)
    )
    return replace(table, cases=(*_shared(cases, facts), *cases))


def _exclusive(table: Table, facts: _Facts, system: str) -> Table:
    """A parameter that two cases take is an error here and there. Where that is so by one of its
    other names only, the table goes by order, with that parameter first."""
    for name, found in zip(facts.names, facts.by_first, strict=True):
        taking = [case for case in table.cases if _takes(case, found)]
        if len(taking) > 1:
            both = " and ".join(f"`{case.patterns[0].written}`" for case in taking)
            said = lost(f"`{name}` is in {both}: {system} stops at that")
            return replace(table, remarks=(*table.remarks, said))
    shared = tuple(_shared(table.cases, facts, alone=True))
    return replace(table, cases=(*shared, *table.cases), exclusive=not shared)


_SHADOWED = "all that this matches is taken above:"


def _live_patterns(case: Case, facts: _Facts, on_dead: str) -> Case:
    """The case without the patterns that match nothing, or in a comment where none does."""
    live = tuple(pattern for pattern in case.patterns if facts.matches(pattern.selector))
    if len(live) == len(case.patterns):
        return case
    if not live:
        absent = "this model has none:" if case.kind else f"matches nothing, and {on_dead}:"
        return replace(case, dropped=absent)
    if case.kind:
        return replace(case, patterns=live)
    dead = ", ".join(f"`{p.written}`" for p in case.patterns if p not in live)
    return replace(case, patterns=live).remarked(note(f"{dead} matches nothing, and {on_dead}"))


def _takes(case: Case, found: frozenset[tree.Selector]) -> bool:
    return any(pattern.selector in found for pattern in case.patterns)


def _chosen(cases: tuple[Case, ...], found: frozenset[tree.Selector]) -> int | None:
    """The first case that takes a parameter."""
    taking = (i for i, case in enumerate(cases) if case.is_rest or _takes(case, found))
    return next(taking, None)


def _stays(case: Case, facts: _Facts) -> bool:
    """Whether a case that takes nothing stays: the rest, and what the file cannot answer."""
    return case.is_rest or any(pattern.selector in facts.unsure for pattern in case.patterns)


def _shared(cases: tuple[Case, ...], facts: _Facts, alone: bool = False) -> Iterator[Case]:
    """Cases for shared parameters that another of their names would put elsewhere or, where a case
    must be `alone` in taking them, into a second one."""
    for name, first, any_name in zip(facts.names, facts.by_first, facts.by_any, strict=True):
        index = _chosen(cases, first)
        second = alone and sum(_takes(case, any_name) for case in cases) > 1
        if index is None or (_chosen(cases, any_name) == index and not second):
            continue
        case, said = cases[index], note(_SHARED)
        if any(isinstance(piece, tree.Word) for piece in case.label.pieces):
            said = lost(f"`{name}`: {_SHARED}, which has no number: its rule is to be written")
        yield Case((Pattern(name, tree.Exact(name)),), case.label, case.options, (said,))


def _line(line: Line, facts: _Facts, on_dead: str) -> Iterator[Line]:
    """A rule of the top level, which freezes: with exceptions for shared parameters."""
    rule = line.statement
    if not isinstance(rule, tree.Rule) or rule.selector is None or rule.options != FREEZE:
        yield line
        return
    selector = rule.selector
    if not facts.matches(selector):
        said = f"matches nothing, and {on_dead}:\n{rule_text(rule)}"
        yield Line(None, (*line.remarks, note(said)))
        return
    rows = list(zip(facts.names, facts.by_first, facts.by_any, strict=True))
    spared = [n for n, first, any_ in rows if selector in any_ and selector not in first]
    more = [n for n, first, any_ in rows if selector in first and selector not in any_]
    if spared:
        without = tuple(tree.Not(tree.Exact(name)) for name in spared)
        rule = replace(rule, selector=tree.And((selector, *without)))
    yield replace(line, statement=rule)
    for name in more:
        yield Line(tree.Rule(tree.Exact(name), None, FREEZE), (note(_SHARED),))
