"""Adapts a conversion to one model, which decides what the configuration leaves open.

Rules that match nothing stay as comments, which say what the system does about them. Systems know a
shared parameter by the first of its names, where a selector matches any of them: a rule with that
name puts it where the system has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TypeAlias, assert_never

from grouper.generate.convert.converted import (
    Case,
    Converted,
    Line,
    Part,
    Pattern,
    Table,
    lost,
    note,
)
from grouper.generate.convert.labels import word
from grouper.generate.convert.options import FREEZE
from grouper.language.ruleset import Rule, RuleSet
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import rule_text
from grouper.match.match_rules import match_rules
from grouper.model.inventory import Inventory
from grouper.text.dataclass import dataclass, replace

_SHARED = "it is shared by several modules, and known there by the first name alone"


Selectors: TypeAlias = frozenset[tree.Selector]


@dataclass(frozen=True)
class _Facts:
    """For each parameter its names, and the selectors that match it by the first of them, by any
    and by every one; `unsure` are those that the model's file cannot answer."""

    names: tuple[tuple[str, ...], ...]
    by_first: tuple[Selectors, ...]
    by_any: tuple[Selectors, ...]
    by_every: tuple[Selectors, ...]
    unsure: Selectors

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
    alone = [replace(p, names=(name,)) for p in inventory.parameters for name in p.names]
    by_name, unsure = _matches(selectors, replace(inventory, parameters=tuple(alone)))
    by_any, _ = _matches(selectors, inventory)
    rest = iter(by_name)
    by_names = [[next(rest) for _ in parameter.names] for parameter in inventory.parameters]
    return _Facts(
        tuple(parameter.names for parameter in inventory.parameters),
        tuple(found[0] for found in by_names),
        by_any,
        tuple(frozenset.intersection(*found) for found in by_names),
        unsure,
    )


def _selectors(converted: Converted) -> Iterator[tree.Selector]:
    for part in converted.parts:
        if isinstance(part, Table):
            yield from (p.selector for case in part.cases for p in case.patterns)
        elif isinstance(part.statement, tree.Rule) and part.statement.selector is not None:
            yield part.statement.selector


def _matches(
    selectors: list[tree.Selector], inventory: Inventory
) -> tuple[tuple[Selectors, ...], Selectors]:
    numbers = count()
    rules = tuple(Rule(selector, word(f"p{next(numbers)}")) for selector in selectors)
    found = match_rules(RuleSet(rules), inventory)
    matched = tuple(
        frozenset(r.selector for r in one.rules if r.selector is not None)
        for one in found.combinations
    )
    unsure = (u.rule.selector for u in found.unanswered)
    return matched, frozenset(selector for selector in unsure if selector is not None)


def _table(table: Table, facts: _Facts, system: str, on_dead: str) -> Table:
    cases = tuple(_live_patterns(case, facts, f"{system} {on_dead}") for case in table.cases)
    if table.exclusive:
        return _exclusive(replace(table, cases=cases), facts, system)
    return replace(table, cases=_in_order(cases, facts))


def _in_order(cases: tuple[Case, ...], facts: _Facts, alone: bool = False) -> tuple[Case, ...]:
    """The cases, after cases for shared parameters; cases that then match nothing are dropped."""
    shared = _shared(cases, facts, alone)
    taken = {_chosen(cases, found) for at, found in enumerate(facts.by_first) if at not in shared}
    kept = (
        replace(case, dropped=_SHADOWED)
        if case.dropped is None and index not in taken and not _stays(case, facts)
        else case
        for index, case in enumerate(cases)
    )
    return (*shared.values(), *kept)


def _exclusive(table: Table, facts: _Facts, system: str) -> Table:
    """A parameter that two cases take is an error here and there. Where that is so by one of its
    other names only, the table goes by order, with that parameter first."""
    for names, found in zip(facts.names, facts.by_first, strict=True):
        taking = [case for case in table.cases if _takes(case, found)]
        if len(taking) > 1:
            both = " and ".join(f"`{case.patterns[0].written}`" for case in taking)
            said = lost(f"`{names[0]}` is in {both}: {system} stops at that")
            return replace(table, remarks=(*table.remarks, said))
    if not _shared(table.cases, facts, alone=True):
        return table
    return replace(table, cases=_in_order(table.cases, facts, alone=True), exclusive=False)


_SHADOWED = "all that this matches is taken above:"


def _live_patterns(case: Case, facts: _Facts, on_dead: str) -> Case:
    """The case without the patterns that match nothing, or in a comment where none does."""
    live = tuple(pattern for pattern in case.patterns if facts.matches(pattern.selector))
    if len(live) == len(case.patterns):
        return case
    if not live:
        absent = "this model has none:" if case.kind else f"matches nothing, and {on_dead}:"
        return replace(case, dropped=absent)
    alive = {pattern.written for pattern in live}
    dead = ", ".join(f"`{p.written}`" for p in case.patterns if p.written not in alive)
    if case.kind or not dead:
        return replace(case, patterns=live)
    return replace(case, patterns=live).remarked(note(f"{dead} matches nothing, and {on_dead}"))


def _takes(case: Case, found: Selectors) -> bool:
    return any(pattern.selector in found for pattern in case.patterns)


def _chosen(cases: tuple[Case, ...], found: Selectors) -> int | None:
    """The first case that takes a parameter."""
    taking = (i for i, case in enumerate(cases) if case.is_rest or _takes(case, found))
    return next(taking, None)


def _stays(case: Case, facts: _Facts) -> bool:
    """Whether a case without parameters stays: the rest, and what the file cannot answer."""
    return case.is_rest or any(pattern.selector in facts.unsure for pattern in case.patterns)


def _shared(cases: tuple[Case, ...], facts: _Facts, alone: bool) -> dict[int, Case]:
    """By the parameter's place, cases for shared parameters that another of their names would put
    elsewhere or, where a case must be `alone` in taking them, into a second one; and for frozen
    ones that are not frozen by every name."""
    found: dict[int, Case] = {}
    for at, names in enumerate(facts.names):
        index = _chosen(cases, facts.by_first[at])
        if len(names) == 1 or index is None:
            continue
        case, said = cases[index], note(_SHARED)
        frozen = case.options == FREEZE and not _takes(case, facts.by_every[at])
        second = alone and sum(_takes(case, facts.by_any[at]) for case in cases) > 1
        if _chosen(cases, facts.by_any[at]) == index and not second and not frozen:
            continue
        if any(isinstance(piece, tree.Word) for piece in case.label.pieces):
            said = lost(f"`{names[0]}`: {_SHARED}, which has no number: its rule is to be written")
        patterns = _named(names if case.options == FREEZE else names[:1])
        found[at] = Case(patterns, case.label, case.options, (said,))
    return found


def _named(names: tuple[str, ...]) -> tuple[Pattern, ...]:
    return tuple(Pattern(name, tree.Exact(name)) for name in names)


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
    rows = list(zip(facts.names, facts.by_first, facts.by_any, facts.by_every, strict=True))
    spared = [names for names, first, any_, _ in rows if selector in any_ and selector not in first]
    taken = [(names, every) for names, first, _, every in rows if selector in first]
    partly = [names for names, every in taken if selector not in every]
    apart = tuple(tree.Not(tree.Exact(names[0])) for names in (*spared, *partly))
    if apart:
        rule = replace(rule, selector=tree.And((selector, *apart)))
    if len(partly) < len(taken):
        yield replace(line, statement=rule)
    for names in partly:
        whole = tree.Or(tuple(tree.Exact(name) for name in names))
        yield Line(tree.Rule(whole, None, FREEZE), (*line.remarks, note(_SHARED)))
