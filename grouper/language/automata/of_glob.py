"""A glob as an automaton. It accepts more where two captures of one number must be equal."""

from __future__ import annotations

from functools import partial
from typing import assert_never

from grouper.language.automata.characters import (
    ANY,
    DIGITS,
    NO_DOT,
    NOT_ZERO,
    Characters,
    literal,
)
from grouper.language.automata.nfa import Assertion, Nfa
from grouper.language.syntax import tree

Pieces = tuple[tree.Piece, ...]


def add_glob(nfa: Nfa, at: int, glob: tree.Glob) -> int:
    """Add the glob at a state; returns the state after it. Raises Unknown beyond the limits."""
    return _sequence(nfa, at, glob.pieces)


def _sequence(nfa: Nfa, at: int, pieces: Pieces) -> int:
    for index, piece in enumerate(pieces):
        at = _piece(nfa, at, pieces, index, piece)
    return at


def _piece(nfa: Nfa, at: int, pieces: Pieces, index: int, piece: tree.Piece) -> int:
    match piece:
        case tree.Text(text=text):
            return add_text(nfa, at, text)
        case tree.Star():
            return nfa.many(at, lambda inner: nfa.take(inner, ANY))
        case tree.QuestionMark():
            return nfa.take(at, NO_DOT)
        case tree.CharacterClass(ranges=ranges, negated=negated):
            dot = ((".", "."),) if negated else ()
            return nfa.take(at, Characters((*ranges, *dot), negated=negated))
        case tree.Alternatives(options=options):
            return nfa.either(at, [partial(add_glob, nfa, glob=option) for option in options])
        case tree.Integer():
            return _integer(nfa, at, pieces, index, piece)
        case _:
            assert_never(piece)


def add_text(nfa: Nfa, at: int, text: str) -> int:
    for character in text:
        at = nfa.take(at, literal(character))
    return at


def _integer(nfa: Nfa, at: int, pieces: Pieces, index: int, piece: tree.Integer) -> int:
    """A number, beside a star never a part of a longer run of digits."""
    if index > 0 and isinstance(pieces[index - 1], tree.Star):
        at = nfa.asserted(at, Assertion.NO_DIGIT_BEFORE)
    if piece.first is None or piece.last is None:
        at = nfa.either(at, [lambda a: nfa.take(a, literal("0")), lambda a: _positive(nfa, a)])
    else:
        numbers = _ranges(str(piece.first), str(piece.last))
        at = nfa.either(at, [partial(_digits, nfa, ranges=each) for each in numbers])
    if index + 1 < len(pieces) and isinstance(pieces[index + 1], tree.Star):
        at = nfa.asserted(at, Assertion.NO_DIGIT_AFTER)
    return at


def _positive(nfa: Nfa, at: int) -> int:
    return nfa.many(nfa.take(at, NOT_ZERO), lambda inner: nfa.take(inner, DIGITS))


def _digits(nfa: Nfa, at: int, ranges: list[tuple[str, str]]) -> int:
    for each in ranges:
        at = nfa.take(at, Characters((each,)))
    return at


def _ranges(first: str, last: str) -> list[list[tuple[str, str]]]:
    """The numbers from `first` to `last` as sequences of ranges of digits."""
    if len(first) < len(last):
        nines, power = "9" * len(first), "1" + "0" * len(first)
        return _ranges(first, nines) + _ranges(power, last)
    if not first:
        return [[]]
    if first[0] == last[0]:
        return [[(first[0], first[0]), *rest] for rest in _ranges(first[1:], last[1:])]
    size = len(first) - 1
    found = [[(first[0], first[0]), *rest] for rest in _ranges(first[1:], "9" * size)]
    if int(last[0]) - int(first[0]) > 1:
        middle = str(int(first[0]) + 1), str(int(last[0]) - 1)
        found.append([middle, *[("0", "9")] * size])
    return found + [[(last[0], last[0]), *rest] for rest in _ranges("0" * size, last[1:])]
