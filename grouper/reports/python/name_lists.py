"""Names of parameters as items of a Python list, folded into loops where this is readable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from math import prod

from grouper.reports.python.layout import INDENT, WIDTH, quoted
from grouper.text.fold import Row, rows

PLAIN = re.compile(r"[A-Za-z0-9_-]*")
VARIABLES = "ij"  # with more variables, a loop is no easier to read than the names
FEWEST = 3  # names in a loop


def name_items(names: Iterable[str], depth: int) -> list[str]:
    """Items that give exactly these names, indented `depth` times: strings, and loops such as
    `*(f"model.{i}.bn.bias" for i in range(10))`, in the order of their first names."""
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
    """Whether the constant segments can be put into an f-string unescaped."""
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
