"""The lines of a report before they are printed: pieces of text, each with a style."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from grouper.text.dataclass import dataclass
from grouper.text.printable import width

Piece = tuple[str, str]  # text, and its style: `bold`, `dim`, a colour, or several of these words

_CODE = re.compile(r"`[^`]{1,30}`")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the terminal. `plain` is its text without styles."""

    pieces: tuple[Piece, ...] = ()

    @property
    def plain(self) -> str:
        return "".join(text for text, _ in self.pieces)


def styled(*pieces: str | Piece) -> Line:
    """A line of these pieces; a plain string has no style."""
    return Line(tuple((p, "") if isinstance(p, str) else p for p in pieces))


def wrapped(line: Line, columns: int, indent: int) -> Iterator[Line]:
    """The line, broken at blanks if it is longer than `columns`; the following lines are indented.
    Words that are longer are not broken."""
    if width(line.plain) <= columns:
        yield line
        return
    here: list[Piece] = []
    used, started = 0, False
    for word in _words(line):
        size = sum(width(text) for text, _ in word)
        blank = not "".join(text for text, _ in word).strip()
        if used + size > columns and started and not blank:
            yield trimmed(here)
            here, used = [(" " * indent, "")], indent
        elif blank and used + size > columns:
            used = columns  # the next word begins a line
            continue
        here += word
        used += size
        started = started or not blank
    yield trimmed(here)


def _words(line: Line) -> Iterator[list[Piece]]:
    """Runs of blanks and of other characters. Short code in backticks is one word."""
    in_code = {at for code in _CODE.finditer(line.plain) for at in range(*code.span())}
    styles = [style for text, style in line.pieces for _ in text]
    signs = [(sign, sign == " " and at not in in_code) for at, sign in enumerate(line.plain)]
    pairs = zip(signs, styles, strict=True)
    for _, run in groupby(pairs, key=lambda pair: pair[0][1]):
        yield [
            ("".join(sign for (sign, _), _ in same), style)
            for style, same in groupby(run, key=lambda pair: pair[1])
        ]


def trimmed(pieces: Iterable[Piece]) -> Line:
    """The pieces as a line, without trailing blanks."""
    rest = [
        ("".join(text for text, _ in same), style)
        for style, same in groupby(pieces, key=lambda piece: piece[1])
    ]
    while rest and not rest[-1][0].strip():
        rest.pop()
    if rest:
        rest[-1] = (rest[-1][0].rstrip(), rest[-1][1])
    return Line(tuple(rest))
