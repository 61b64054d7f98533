"""Names of parameters as items of a Python list, folded where that reads well and is exact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from math import prod

from grouper.reports.python.layout import INDENT, WIDTH, quoted
from grouper.text.fold import Row, rows

PLAIN = re.compile(r"[A-Za-z0-9_-]*")
VARIABLES = "ij"  # more of them in one line are no easier to read than the names
FEWEST = 3  # names worth folding


def name_items(names: Iterable[str], depth: int) -> list[str]:
    """Items that give exactly these names, at `depth` indentations: strings, and loops such as
    `*(f"model.{i}.bn.bias" for i in range(10))`. Their order is that of the first names."""
    room = WIDTH - len(INDENT) * depth - 1
    return [item for row in rows(names) for item in _items(row, room)]


def _items(row: Row, room: int) -> Iterator[str]:
    varying = [place for place, choices in enumerate(row) if len(choices) > 1]
    if prod(map(len, row)) < FEWEST or not _plain(row):
        yield from (quoted(".".join(segments)) for segments in product(*row))
        return
    folded = _loop(row, varying)
    if len(varying) <= len(VARIABLES) and len(folded) <= room:
        yield folded
        return
    place = min(varying, key=lambda varies: len(row[varies]))
    for choice in row[place]:
        yield from _items((*row[:place], (choice,), *row[place + 1 :]), room)


def _plain(row: Row) -> bool:
    """Whether what does not vary can be in an f-string as it is."""
    return all(PLAIN.fullmatch(choices[0]) for choices in row if len(choices) == 1)


def _loop(row: Row, varying: list[int]) -> str:
    name = dict(zip(varying, VARIABLES, strict=False))
    text = ".".join(
        f"{{{name.get(place, '_')}}}" if len(choices) > 1 else choices[0]
        for place, choices in enumerate(row)
    )
    loops = " ".join(f"for {name[place]} in {_choices(row[place])}" for place in name)
    return f'*(f"{text}" {loops})'


def _choices(choices: tuple[str, ...]) -> str:
    if not all(c.isascii() and c.isdigit() and str(int(c)) == c for c in choices):
        return f"({', '.join(map(quoted, choices))})"
    numbers = sorted(map(int, choices))
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        first = f"{numbers[0]}, " if numbers[0] else ""
        return f"range({first}{numbers[-1] + 1})"
    return f"({', '.join(map(str, numbers))})"
