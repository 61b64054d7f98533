"""A sequence of numbers as one line of block characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-=+*%#"


def trend(numbers: Sequence[float | None], width: int = 8, plain: bool = False) -> str:
    """One character for each number, in order; its height is the number's between least and most.

    More numbers than `width` are combined by their median. None is a blank, a number that is not
    finite is `!`. `plain` uses ASCII only.
    """
    blocks = PLAIN if plain else BLOCKS
    cells = [_cell(part) for part in _parts(numbers, width)]
    known = [cell for cell in cells if cell is not None and math.isfinite(cell)]
    least, most = min(known, default=0.0), max(known, default=0.0)
    return "".join(
        " "
        if cell is None
        else "!"
        if not math.isfinite(cell)
        else blocks[_height(cell, least, most)]
        for cell in cells
    )


def _parts(numbers: Sequence[float | None], width: int) -> list[Sequence[float | None]]:
    count = min(width, len(numbers))
    edges = [len(numbers) * i // count for i in range(count + 1)] if count else [0]
    return [numbers[start:end] for start, end in pairwise(edges)]


def _cell(part: Sequence[float | None]) -> float | None:
    known = [number for number in part if number is not None]
    if not known:
        return None
    return math.nan if not all(map(math.isfinite, known)) else median(known)


def _height(number: float, least: float, most: float) -> int:
    if most <= least:
        return 0
    share = (number / 2 - least / 2) / (most / 2 - least / 2)  # halves: no overflow
    return min(int(share * len(BLOCKS)), len(BLOCKS) - 1)
