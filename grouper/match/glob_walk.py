"""Globs for which no regex is both exact and fast: a search that visits each (piece, position)
once.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.match.captures import DIGITS, Captured, Captures
from grouper.match.glob_regex import beside_star, capture_names
from grouper.text.dataclass import dataclass, field

MAX_PAIRS = 100_000  # of pieces and positions in one name: a fifth of a second
_NUMBER = re.compile(DIGITS)

Numbers: TypeAlias = tuple[tuple[str, int], ...]  # sorted by name


@dataclass(eq=False)
class _Step:
    """A piece, whether a star is beside it, and the steps that may follow it."""

    piece: tree.Piece | None
    star_before: bool = False
    star_after: bool = False
    next: list[_Step] = field(default_factory=list)


Visit: TypeAlias = tuple[_Step, int, Numbers]


class Walk:
    """A depth-first search, best choice first. Raises BadValue after MAX_PAIRS visits."""

    def __init__(self, glob: tree.Glob) -> None:
        self._glob = glob
        self._end = _Step(None)
        self._start = _link(glob.pieces, self._end)
        names = capture_names(glob.pieces)
        self._captures_matter = len(names) > len(set(names))

    def __call__(self, name: str) -> Captures | None:
        stack: list[Visit] = [(self._start, 0, ())]
        visited = set()
        while stack:
            step, at, captures = stack.pop()
            if step is self._end:
                if at == len(name):
                    return dict(captures)
                continue
            pair = (step, at, captures if self._captures_matter else None)
            if pair in visited:
                continue
            visited.add(pair)
            if len(visited) > MAX_PAIRS:
                raise BadValue(
                    f"the glob could take minutes on names of {len(name)} characters",
                    self._glob.span,
                    "write it with fewer `*`, or capture each number once",
                )
            stack.extend(reversed(_advance(step, name, at, captures)))
        return None


def _advance(step: _Step, name: str, at: int, captures: Numbers) -> list[Visit]:
    """The visits that follow, best first."""
    match step.piece:
        case tree.Star():
            longer = [(step, at + 1, captures)] if at < len(name) else []
            return [(step.next[0], at, captures), *longer]
        case tree.Text(text=text):
            ends = [at + len(text)] if name.startswith(text, at) else []
        case tree.QuestionMark():
            ends = [at + 1] if at < len(name) and name[at] != "." else []
        case tree.CharacterClass():
            ends = [at + 1] if at < len(name) and _one_of(step.piece, name[at]) else []
        case tree.Integer():
            return _numbers(step, step.piece, name, at, captures)
        case tree.Alternatives() | None:  # `_link` has made steps of the alternatives
            return [(option, at, captures) for option in step.next]
    return [(step.next[0], end, captures) for end in ends]


def _one_of(piece: tree.CharacterClass, character: str) -> bool:
    inside = any(first <= character <= last for first, last in piece.ranges)
    return not inside and character != "." if piece.negated else inside


def _numbers(
    step: _Step, piece: tree.Integer, name: str, at: int, captures: Numbers
) -> list[Visit]:
    digits = _NUMBER.match(name, at)
    if digits is None or (step.star_before and _is_digit(name, at - 1)):
        return []
    before = dict(captures)
    visits: list[Visit] = []
    for end in range(digits.end(), at, -1):
        if step.star_after and _is_digit(name, end):
            continue
        value = Captured(name, at, end)
        if piece.first is not None and not piece.first <= value <= (piece.last or 0):
            continue
        if piece.capture is None:
            visits.append((step.next[0], end, captures))
        elif before.get(piece.capture, value) == value:
            after = tuple(sorted({**before, piece.capture: value}.items()))
            visits.append((step.next[0], end, after))
    return visits


def _is_digit(name: str, index: int) -> bool:
    return 0 <= index < len(name) and name[index] in "0123456789"


def _link(pieces: tuple[tree.Piece, ...], end: _Step) -> _Step:
    """The steps of a sequence, linked from the last to the first; the first one."""
    for i in range(len(pieces) - 1, -1, -1):
        piece = pieces[i]
        if isinstance(piece, tree.Alternatives):
            end = _Step(None, next=[_link(option.pieces, end) for option in piece.options])
        else:
            end = _Step(piece, *beside_star(pieces, i), [end])
    return end
