"""A drawing made of characters: braille if the stream can encode it, otherwise ASCII dots."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Ink:
    """How a cell of `across` x `down` dots is drawn; `glyph` maps its set dots to a character."""

    across: int
    down: int
    ascii: bool

    def glyph(self, dots: frozenset[tuple[int, int]]) -> str:
        if self.ascii:
            return {(True, False): "'", (False, True): ".", (True, True): ":"}[
                ((0, 0) in dots, (0, 1) in dots)
            ]
        return chr(0x2800 + sum(_BRAILLE[dot] for dot in dots))


# Unicode numbers a cell's dots 1 2 3 7 down the left column and 4 5 6 8 down the right one.
_BRAILLE = {
    (0, 0): 1, (0, 1): 2, (0, 2): 4, (1, 0): 8, (1, 1): 16, (1, 2): 32, (0, 3): 64, (1, 3): 128,
}  # fmt: skip
BRAILLE, ASCII = Ink(2, 4, False), Ink(1, 2, True)


def ink_for(encoding: str) -> Ink:
    """Braille, or ASCII if the encoding has no braille."""
    try:
        "⣿│─".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BRAILLE


class Canvas:
    """A grid of `width` x `height` cells for curves and marks."""

    def __init__(self, width: int, height: int, ink: Ink) -> None:
        self.width, self.height, self.ink = width, height, ink
        self._dots: dict[tuple[int, int], set[tuple[int, int]]] = {}
        self._owners: dict[tuple[int, int], list[str]] = {}
        self._marks: dict[tuple[int, int], tuple[str, str]] = {}

    @property
    def columns(self) -> int:
        """The number of dot columns."""
        return self.width * self.ink.across

    def curve(self, places: Sequence[float], style: str) -> None:
        """Draw a line through one place (0 is the bottom, 1 the top) for each dot column."""
        rows = [self._row(place) for place in places]
        before = rows[0]
        for column, row in enumerate(rows):
            first, last = sorted((before + (row > before) - (row < before), row))
            for y in range(first, last + 1):
                self._dot(column, y, style)
            before = row

    def mark(self, column: int, place: float, word: str, style: str) -> bool:
        """Write a word over cells. If they already have a mark, write nothing and return False."""
        y = self._row(place) // self.ink.down
        cells = [(column + i, y) for i in range(-1, len(word) + 1)]
        if any(cell in self._marks for cell in cells) or column + len(word) > self.width:
            return False
        for i, character in enumerate(word):
            self._marks[column + i, y] = (character, style)
        return True

    def lines(self) -> list[Text]:
        return [
            Text.assemble(*(self._cell(x, y) for x in range(self.width)))
            for y in range(self.height)
        ]

    def row_of(self, place: float) -> int:
        """The line of characters that contains a place, counted from the top."""
        return self._row(place) // self.ink.down

    def _row(self, place: float) -> int:
        return round((1 - place) * (self.height * self.ink.down - 1))

    def _dot(self, x: int, y: int, style: str) -> None:
        cell = (x // self.ink.across, y // self.ink.down)
        self._dots.setdefault(cell, set()).add((x % self.ink.across, y % self.ink.down))
        owners = self._owners.setdefault(cell, [])
        if style not in owners:
            owners.append(style)

    def _cell(self, x: int, y: int) -> tuple[str, str]:
        if (x, y) in self._marks:
            return self._marks[x, y]
        if (x, y) not in self._dots:
            return " ", ""
        owners = self._owners[x, y]
        return self.ink.glyph(frozenset(self._dots[x, y])), owners[x % len(owners)]
