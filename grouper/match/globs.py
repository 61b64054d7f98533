"""Globs, compiled: a full dotted name in, the captured numbers out.

`*` takes as little as it can, earlier ones first; a number beside a `*` is never a part of a
longer run of digits. Names of usual length go through `re`; long names, and globs that `re` has no
words for, through a walk over (piece, position) pairs that visits each pair once, so
that no glob and no name can take more than their product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from grouper.language.syntax import tree

Captures = Mapping[str, int]
Test = Callable[[str], Captures | None]

NONE: Captures = {}
_LONGEST_FOR_RE = 200
_MOST_STARS_FOR_RE = 3
_WIDEST_RANGE_FOR_RE = 100
_DIGITS = "(?:0|[1-9][0-9]{0,17})"  # of numbers that fit into 64 bits
_NUMBER = re.compile(_DIGITS)


def compile_glob(glob: tree.Glob) -> Test:
    """A function from a name to the captures of its match, or None."""
    if len(glob.pieces) == 1 and isinstance(glob.pieces[0], tree.Text):
        whole = glob.pieces[0].text
        return lambda name: NONE if name == whole else None
    walk = _Walk(glob)
    pattern = _pattern(glob)
    if pattern is None:
        return walk

    first = glob.pieces[0] if glob.pieces else None
    prefix = first.text if isinstance(first, tree.Text) else ""

    def test(name: str) -> Captures | None:
        if not name.startswith(prefix):
            return None
        if len(name) > _LONGEST_FOR_RE:
            return walk(name)
        found = pattern.fullmatch(name)
        if found is None:
            return None
        return {key: int(value) for key, value in found.groupdict().items() if value is not None}

    return test


def _pattern(glob: tree.Glob) -> re.Pattern[str] | None:
    """The glob as a regex, where that is exact and fast."""
    try:
        text = _sequence(glob.pieces, set())
        return re.compile(text, re.DOTALL) if text.count(".*?") <= _MOST_STARS_FOR_RE else None
    except (_NoRegex, re.error):
        return None


class _NoRegex(Exception):
    pass


def _sequence(pieces: tuple[tree.Piece, ...], seen: set[str]) -> str:
    return "".join(
        _regex(piece, seen, _beside_run(pieces, i - 1), _beside_run(pieces, i + 1))
        for i, piece in enumerate(pieces)
    )


def _beside_run(pieces: tuple[tree.Piece, ...], index: int) -> bool:
    return 0 <= index < len(pieces) and isinstance(pieces[index], tree.Star)


def _regex(piece: tree.Piece, seen: set[str], run_before: bool, run_behind: bool) -> str:
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
            if any(isinstance(p, tree.Integer) and p.capture for o in options for p in o.pieces):
                raise _NoRegex
            return f"(?:{'|'.join(_sequence(option.pieces, seen) for option in options)})"
        case tree.Integer():
            before = "(?<![0-9])" if run_before else ""
            behind = "(?![0-9])" if run_behind else ""
            return before + _whole(piece, seen) + behind


def _whole(piece: tree.Integer, seen: set[str]) -> str:
    if piece.capture in seen:
        if piece.first is not None:
            raise _NoRegex
        return f"(?P={piece.capture})"
    digits = _DIGITS
    if piece.first is not None and piece.last is not None:
        if piece.last - piece.first > _WIDEST_RANGE_FOR_RE:
            raise _NoRegex
        numbers = range(piece.last, piece.first - 1, -1)
        digits = f"(?:{'|'.join(map(str, numbers))})"
    if piece.capture is None:
        return digits
    seen.add(piece.capture)
    return f"(?P<{piece.capture}>{digits})"


@dataclass(eq=False)
class _Step:
    """A piece, what stands beside it, and the steps that may follow it."""

    piece: tree.Piece | None
    run_before: bool = False
    run_behind: bool = False
    behind: list[_Step] = field(default_factory=list)


class _Walk:
    """Depth first, best choice first, over pairs of step and position."""

    def __init__(self, glob: tree.Glob) -> None:
        self._end = _Step(None)
        self._start = _link(glob.pieces, self._end)
        names = [name for name in _capture_names(glob.pieces) if name]
        self._tell_captures_apart = len(names) > len(set(names))

    def __call__(self, name: str) -> Captures | None:
        stack: list[tuple[_Step, int, tuple[tuple[str, int], ...]]] = [(self._start, 0, ())]
        seen = set()
        while stack:
            step, at, captures = stack.pop()
            if step is self._end:
                if at == len(name):
                    return dict(captures)
                continue
            key = (step, at, captures if self._tell_captures_apart else None)
            if key in seen:
                continue
            seen.add(key)
            stack.extend(reversed(list(_advance(step, name, at, captures))))
        return None


FrozenGroup = tuple[tuple[str, int], ...]


def _advance(
    step: _Step, name: str, at: int, captures: FrozenGroup
) -> list[tuple[_Step, int, FrozenGroup]]:
    match step.piece:
        case None:
            return [(option, at, captures) for option in step.behind]
        case tree.Text(text=text):
            ends = [at + len(text)] if name.startswith(text, at) else []
        case tree.Star():
            more = [(step, at + 1, captures)] if at < len(name) else []
            return [(step.behind[0], at, captures), *more]
        case tree.QuestionMark():
            ends = [at + 1] if at < len(name) and name[at] != "." else []
        case tree.CharacterClass():
            ends = [at + 1] if at < len(name) and _one_in(step.piece, name[at]) else []
        case tree.Integer():
            return _numbers(step, step.piece, name, at, captures)
        case _:
            ends = []
    return [(step.behind[0], end, captures) for end in ends]


def _one_in(piece: tree.CharacterClass, character: str) -> bool:
    inside = any(first <= character <= last for first, last in piece.ranges)
    return not inside and character != "." if piece.negated else inside


def _numbers(
    step: _Step, piece: tree.Integer, name: str, at: int, captures: FrozenGroup
) -> list[tuple[_Step, int, FrozenGroup]]:
    found = _NUMBER.match(name, at)
    if found is None or (step.run_before and at > 0 and name[at - 1] in "0123456789"):
        return []
    held = dict(captures)
    choices = []
    for end in range(found.end(), at, -1):
        if step.run_behind and end < len(name) and name[end] in "0123456789":
            continue
        value = int(name[at:end])
        if piece.first is not None and not piece.first <= value <= (piece.last or 0):
            continue
        if piece.capture is None:
            choices.append((step.behind[0], end, captures))
        elif held.get(piece.capture, value) == value:
            kept = tuple(sorted({**held, piece.capture: value}.items()))
            choices.append((step.behind[0], end, kept))
    return choices


def _link(pieces: tuple[tree.Piece, ...], end: _Step) -> _Step:
    """The steps of a sequence, linked back to front; its first one."""
    for i in range(len(pieces) - 1, -1, -1):
        piece = pieces[i]
        if isinstance(piece, tree.Alternatives):
            end = _Step(None, behind=[_link(option.pieces, end) for option in piece.options])
        else:
            before, behind = _beside_run(pieces, i - 1), _beside_run(pieces, i + 1)
            end = _Step(piece, before, behind, [end])
    return end


def _capture_names(pieces: tuple[tree.Piece, ...]) -> list[str]:
    names = []
    for piece in pieces:
        if isinstance(piece, tree.Integer) and piece.capture:
            names.append(piece.capture)
        elif isinstance(piece, tree.Alternatives):
            names.extend(n for option in piece.options for n in _capture_names(option.pieces))
    return names
