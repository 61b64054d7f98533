"""Globs as regexes, where those are exact and fast."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import assert_never

from grouper.language.syntax import tree
from grouper.match.captures import DIGITS, Captured, Captures, NameTest

LONGEST_FOR_ANY = 200  # characters of a name
_MOST_WAYS = 30 * LONGEST_FOR_ANY**3  # to match a name of that length: a second at worst
_WIDEST_RANGE = 100
MOST_REMEMBERED = 4096  # a file is checked again and again while it is written

Pieces = tuple[tree.Piece, ...]


class _NoRegex(Exception):
    pass


@lru_cache(MOST_REMEMBERED)
def linear_regex(glob: tree.Glob) -> NameTest | None:
    """The glob as a regex that takes time in proportion to pieces times name; None for others.

    What stands between two stars goes into an atomic group: once found, it stays where it is. That
    is exact where a later match of it never ends earlier: for pieces of one length, and for numbers
    that are whole runs of digits.
    """
    pieces = glob.pieces
    names = capture_names(pieces)
    whole_runs = all(
        is_whole_run(pieces, i) for i, p in enumerate(pieces) if isinstance(p, tree.Integer)
    )
    alternatives = any(isinstance(piece, tree.Alternatives) for piece in pieces)
    if alternatives or not whole_runs or len(set(names)) < len(names):
        return None
    segments = [""]
    try:
        for i, piece in enumerate(pieces):
            if isinstance(piece, tree.Star):
                segments.append("")
            else:
                segments[-1] += _regex(pieces, i, set())
    except _NoRegex:
        return None
    first, *between = segments
    if not between:
        return _full_match(first)
    last = between.pop()
    return _full_match(first + "".join(f"(?>.*?{s})" for s in between if s) + ".*?" + last)


@lru_cache(MOST_REMEMBERED)
def any_regex(glob: tree.Glob) -> NameTest | None:
    """The glob as a regex that may go back after a star, for names that are not too long.

    None where there are too many ways to go back.
    """
    if _ways(glob.pieces) > _MOST_WAYS or _repeats_optional_capture(glob.pieces):
        return None
    try:
        return _full_match(_sequence(glob.pieces, set()))
    except _NoRegex:
        return None


def integers(pieces: Pieces) -> Iterator[tree.Integer]:
    """All numbers, those in alternatives included."""
    for piece in pieces:
        if isinstance(piece, tree.Integer):
            yield piece
        elif isinstance(piece, tree.Alternatives):
            for option in piece.options:
                yield from integers(option.pieces)


def capture_names(pieces: Pieces) -> list[str]:
    """The names of all captures, each as often as it is there."""
    return [number.capture for number in integers(pieces) if number.capture]


def _repeats_optional_capture(pieces: Pieces) -> bool:
    """Whether a number that an alternative captures is also captured elsewhere: a regex has one
    group of a name, and cannot refer to one that may be left out."""
    counts = Counter(capture_names(pieces))
    options = [piece for piece in pieces if isinstance(piece, tree.Alternatives)]
    return any(counts[name] > 1 for name in capture_names(tuple(options)))


def _ways(pieces: Pieces) -> int:
    """In how many ways, at most, the pieces could match a name of the greatest length."""
    ways = 1
    for piece in pieces:
        if isinstance(piece, tree.Star):
            ways *= LONGEST_FOR_ANY
        elif isinstance(piece, tree.Alternatives):
            ways *= sum(_ways(option.pieces) for option in piece.options)
    return ways


def beside_star(pieces: Pieces, index: int) -> tuple[bool, bool]:
    """Whether a star comes before, and after, the piece at an index."""
    before = index > 0 and isinstance(pieces[index - 1], tree.Star)
    after = index + 1 < len(pieces) and isinstance(pieces[index + 1], tree.Star)
    return before, after


def is_whole_run(pieces: Pieces, index: int) -> bool:
    """Whether the number at an index is never a part of a longer run of digits."""
    before = pieces[index - 1] if index > 0 else tree.Star()
    after = pieces[index + 1] if index + 1 < len(pieces) else tree.Star()
    left = before.text[-1:] if isinstance(before, tree.Text) else None
    right = after.text[:1] if isinstance(after, tree.Text) else None
    return all(
        isinstance(piece, tree.Star) or (edge is not None and edge not in "0123456789")
        for piece, edge in ((before, left), (after, right))
    )


def _full_match(pattern: str) -> NameTest | None:
    try:
        compiled = re.compile(pattern, re.DOTALL)
    except re.error:
        return None
    fullmatch, names = compiled.fullmatch, tuple(compiled.groupindex)

    def captures_of(name: str) -> Captures | None:
        result = fullmatch(name)
        if result is None:
            return None
        return {key: Captured(name, *result.span(key)) for key in names if result[key] is not None}

    return captures_of


def _sequence(pieces: Pieces, seen: set[str]) -> str:
    return "".join(_regex(pieces, i, seen) for i in range(len(pieces)))


def _regex(pieces: Pieces, index: int, seen: set[str]) -> str:
    """The regex of one piece; `seen` are the captures of those before it."""
    piece = pieces[index]
    match piece:
        case tree.Text(text=text):
            return re.escape(text)
        case tree.Star():
            return ".*?"
        case tree.QuestionMark():
            return r"[^.]"
        case tree.CharacterClass(ranges=ranges, negated=negated):
            inside = "".join(f"{re.escape(a)}-{re.escape(b)}" for a, b in ranges)
            return rf"[^.{inside}]" if negated else f"[{inside}]"
        case tree.Alternatives(options=options):
            return f"(?:{'|'.join(_sequence(option.pieces, seen) for option in options)})"
        case tree.Integer():
            before, after = beside_star(pieces, index)
            return "(?<![0-9])" * before + _number(piece, seen) + "(?![0-9])" * after
        case _:
            assert_never(piece)


def _number(piece: tree.Integer, seen: set[str]) -> str:
    if piece.capture in seen:
        if piece.first is not None:
            raise _NoRegex
        return f"(?P={piece.capture})"
    digits = DIGITS
    if piece.first is not None and piece.last is not None:
        if piece.last - piece.first > _WIDEST_RANGE:
            raise _NoRegex
        numbers = range(piece.last, piece.first - 1, -1)
        digits = f"(?:{'|'.join(map(str, numbers))})"
    if piece.capture is None:
        return digits
    seen.add(piece.capture)
    return f"(?P<{piece.capture}>{digits})"
