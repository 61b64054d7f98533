"""Folds long lists of names into patterns and, on a terminal, into few lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from grouper.reports.output import UNLIMITED, Output
from grouper.text.fold import fold
from grouper.text.printable import visible, width

MOST_LINES = 3  # on a terminal; `--verbose` shows all
_COMMA = re.compile("(?<=,)")  # the position after a comma


def pattern_lines(names: Iterable[str], output: Output, room: int) -> list[str]:
    """The names folded into patterns, in lines of `room` columns, broken between patterns or after
    a comma; for programs, one line."""
    all_names = list(names)
    patterns = [visible(pattern) for pattern in fold(all_names)]
    if output.columns >= UNLIMITED:
        return [", ".join(patterns)]
    most = None if output.verbose else MOST_LINES + 1
    lines = list(islice(_filled(patterns, room), most))
    if output.verbose or len(lines) <= MOST_LINES:
        return ["".join(line) for line in lines]
    flag = "; --verbose" if output.terminal else ""
    return _cut(lines[:MOST_LINES], f" ... ({len(all_names):,} in all{flag})", room)


def _filled(patterns: list[str], room: int) -> Iterator[list[str]]:
    """Lines of patterns, with patterns that are longer than a line split into parts."""
    here: list[str] = []
    used = 0
    for part in _parts(patterns, room):
        if here and used + width(part.rstrip()) > room:
            here[-1] = here[-1].rstrip()
            yield here
            here, used = [], 0
        here.append(part)
        used += width(part)
    if here:
        yield here


def _parts(patterns: list[str], room: int) -> Iterator[str]:
    """The patterns; those that are longer than a line are split after commas."""
    for number, pattern in enumerate(patterns, 1):
        *parts, last = [pattern] if width(pattern) < room else _COMMA.split(pattern)
        yield from parts
        yield last + (", " if number < len(patterns) else "")


def _cut(lines: list[list[str]], end: str, room: int) -> list[str]:
    """These lines with `end` appended to the last one, after a whole pattern if there is one."""
    parts = list(lines[-1])
    while parts and width("".join(parts).rstrip(", ")) + len(end) > room:
        parts.pop()
    whole = [number for number, part in enumerate(parts) if part.endswith(", ")]
    if whole:
        parts = parts[: whole[-1] + 1]
    last = "".join(parts).rstrip(", ") + end
    return ["".join(line) for line in lines[:-1]] + [last.lstrip()]
