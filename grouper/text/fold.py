"""Folds long lists of names into a few patterns that look like globs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from grouper.text.fold_tails import Path, Segment, joined_tails, written
from grouper.text.printable import quoted

MAX_WORK = 50_000_000  # segments that joining may visit: enough for 200,000 names
MAX_SEGMENTS = 100  # longest names whose tails are joined
Row = tuple[tuple[str, ...], ...]  # the choices of each segment

_OPEN = (-1,)  # the segment in which rows may differ
_JOINABLE = re.compile(r"[\w-]+(\.[\w-]+)*")
_GLOB = re.compile(r"[\w.:-]+( = [\w.:-]+)*")  # or the names of a tied parameter


def fold(names: Iterable[str]) -> tuple[str, ...]:
    """Patterns that match exactly these names, in the order of their first names.

    Names that differ in one segment are joined: numbers into `{0..9}`, words into `{a,b}`. Then
    names with a common prefix are joined, as in `{conv.{weight,bias},bn.weight}`. A name that looks
    like a pattern is quoted. Nothing is joined if that would take more than a second.
    """
    return _folded(tuple(names))


@lru_cache(2)  # a finding and its report fold the same names
def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    paths = [_path(row) for row in rows(names)]
    if max(map(len, paths), default=0) <= MAX_SEGMENTS:
        paths = joined_tails(paths)
    return tuple(map(written, paths))


def folded_list(names: Iterable[str], limit: int, quote: str = "`") -> str:
    """The first `limit` patterns of `fold`, and the number of the others."""
    patterns = fold(names)
    more = len(patterns) - limit
    listed = ", ".join(f"{quote}{pattern}{quote}" for pattern in patterns[:limit])
    return listed + (f" and {more} more pattern{'s' * (more != 1)}" if more > 0 else "")


def rows(names: Iterable[str]) -> list[Row]:
    """Products of segments that give exactly these names, in the order of their first names. A name
    with special characters (`*`, a space, ...) is one segment."""
    choices, names = _Choices(), list(dict.fromkeys(names))
    sets = [choices.row(name) for name in names]
    longest = max(map(len, sets), default=0)
    if len(sets) * longest**2 <= MAX_WORK:
        for place in range(longest - 1, -1, -1):
            sets = choices.joined(sets, place)
        for place in range(longest if len(sets) < len(names) else 0):
            sets = choices.joined(sets, place)
    return [tuple(choices.of[number] for number in row) for row in sets]


class _Numbers(dict[str | tuple[str, ...], int]):
    """A number for each set of choices: a word alone, or a tuple of several."""

    def __init__(self) -> None:
        self.choices: list[tuple[str, ...]] = []

    def __missing__(self, key: str | tuple[str, ...]) -> int:
        number = self[key] = len(self.choices)
        self.choices.append((key,) if isinstance(key, str) else key)
        return number


class _Choices:
    """Rows as tuples of numbers, one for each set of choices, which are fast to compare."""

    def __init__(self) -> None:
        self._numbers = _Numbers()
        self._alone: set[int] = set()  # names that cannot be split, and so are not joined

    @property
    def of(self) -> list[tuple[str, ...]]:
        """The choices, by their number."""
        return self._numbers.choices

    def row(self, name: str) -> tuple[int, ...]:
        if _JOINABLE.fullmatch(name):
            return tuple(map(self._numbers.__getitem__, name.split(".")))
        number = self._numbers[name]
        self._alone.add(number)
        return (number,)

    def joined(self, rows: list[tuple[int, ...]], place: int) -> list[tuple[int, ...]]:
        """Join the rows that differ only in one place, in linear time."""
        alike: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for row in rows:
            key = row
            if place < len(row) and row[place] not in self._alone:
                key = row[:place] + _OPEN + row[place + 1 :]
            alike.setdefault(key, []).append(row)
        return [
            self._merged(several, place) if len(several) > 1 else several[0]
            for several in alike.values()
        ]

    def _merged(self, rows: list[tuple[int, ...]], place: int) -> tuple[int, ...]:
        first, of = rows[0], self.of
        together = dict.fromkeys(choice for row in rows for choice in of[row[place]])
        return (*first[:place], self._numbers[tuple(together)], *first[place + 1 :])


def _parts(choices: tuple[str, ...]) -> Segment:
    """The choices of a segment, with runs of numbers as `{0..9}`."""
    if len(choices) == 1:
        return choices
    numbers = [c for c in choices if _is_number(c)]
    words = [c for c in choices if not _is_number(c)]
    return (*_ranges(sorted(map(int, numbers))), *words)


def alternatives(choices: tuple[str, ...]) -> str:
    """Words and numbers in braces: `{0..11}`, `{a,b}`, or a single one without braces."""
    return written((_parts(choices),))


def _path(row: Row) -> Path:
    if len(row) == 1 == len(row[0]) and not _GLOB.fullmatch(row[0][0]):
        return ((quoted(row[0][0]),),)
    return tuple(map(_parts, row))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19 and str(int(text)) == text


def _ranges(numbers: list[int]) -> list[str]:
    """Runs of three or more numbers as `{first..last}`, the others one by one."""
    parts: list[str] = []
    start = 0
    for i in range(1, len(numbers) + 1):
        if i == len(numbers) or numbers[i] != numbers[i - 1] + 1:
            run = numbers[start:i]
            parts += [f"{{{run[0]}..{run[-1]}}}"] if len(run) > 2 else [str(n) for n in run]
            start = i
    return parts
