"""A regex as an automaton, from `re`'s own parse tree: so the syntax is Python's.

What looks around, back or ahead is Unknown, and so are flags and possessive repeats.
"""

from __future__ import annotations

from functools import partial
from re import _constants as op
from re import _parser as sre
from typing import Any

from grouper.language.automata.characters import ANY, Characters, literal
from grouper.language.automata.meter import Unknown
from grouper.language.automata.nfa import Assertion, Nfa
from grouper.language.syntax.regexes import CATEGORIES

_ASSERTIONS = {
    op.AT_BEGINNING: Assertion.BEGIN,
    op.AT_BEGINNING_STRING: Assertion.BEGIN,
    op.AT_END: Assertion.END,
    op.AT_END_STRING: Assertion.END,
    op.AT_BOUNDARY: Assertion.WORD_EDGE,
    op.AT_NON_BOUNDARY: Assertion.NO_WORD_EDGE,
}
_DEFAULT_FLAGS = sre.parse("").state.flags


def add_search(nfa: Nfa, at: int, pattern: str) -> int:
    """Names in which the regex is found somewhere. Raises Unknown."""
    parsed = sre.parse(pattern)
    if parsed.state.flags != _DEFAULT_FLAGS:
        raise Unknown("flags")
    at = nfa.many(at, lambda inner: nfa.take(inner, ANY))
    at = _sequence(nfa, at, list(parsed))
    return nfa.many(at, lambda inner: nfa.take(inner, ANY))


def _sequence(nfa: Nfa, at: int, items: list[Any]) -> int:
    for code, value in items:
        at = _item(nfa, at, code, value)
    return at


def _item(nfa: Nfa, at: int, code: Any, value: Any) -> int:
    if code in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
        return nfa.take(at, _characters(code, value))
    if code in (op.MAX_REPEAT, op.MIN_REPEAT):
        return _repeat(nfa, at, *value)
    if code is op.BRANCH:
        return nfa.either(at, [partial(_sequence, nfa, items=list(b)) for b in value[1]])
    if code is op.SUBPATTERN:
        _, added, removed, inside = value
        if added or removed:
            raise Unknown("flags")
        return _sequence(nfa, at, list(inside))
    if code is op.AT and value in _ASSERTIONS:
        return nfa.asserted(at, _ASSERTIONS[value])
    raise Unknown(str(code))


def _repeat(nfa: Nfa, at: int, low: int, high: Any, inside: Any) -> int:
    items = list(inside)
    for _ in range(low):
        at = _sequence(nfa, at, items)
    if high is op.MAXREPEAT:
        return nfa.many(at, lambda inner: _sequence(nfa, inner, items))
    for _ in range(high - low):
        at = nfa.optional(at, lambda inner: _sequence(nfa, inner, items))
    return at


def _characters(code: Any, value: Any) -> Characters:
    if code is op.LITERAL:
        return literal(chr(value))
    if code is op.NOT_LITERAL:
        return Characters(((chr(value), chr(value)),), negated=True)
    if code is op.ANY:
        return ANY
    negated = value[0][0] is op.NEGATE
    ranges, classes = [], []
    for kind, member in value[negated:]:
        if kind is op.LITERAL:
            ranges.append((chr(member), chr(member)))
        elif kind is op.RANGE:
            ranges.append((chr(member[0]), chr(member[1])))
        elif kind is op.CATEGORY:
            classes.append(CATEGORIES[member])
        else:
            raise Unknown(str(kind))
    return Characters(tuple(ranges), tuple(classes), negated)
