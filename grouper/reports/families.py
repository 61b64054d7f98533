"""Folds groups whose names differ only in numbers into one row: `block{0..11}` for twelve."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod

from grouper.options.values import Value, is_number, rounded_text, value_key, value_text
from grouper.text.dataclass import dataclass, field
from grouper.text.fold import alternatives
from grouper.text.printable import visible

FEWEST = 3  # groups that are folded into one row
_NUMBER = re.compile(r"(?<!\d)(\d{1,9})(?!\d)")
_TIMES = re.compile(r"#(\d+)$")  # the second group with the same name is `name#2`


@dataclass(frozen=True)
class Entry:
    """A group of a report or of an optimizer. `factor` is what its lr was multiplied by, or None if
    there is no single factor."""

    name: str
    tensors: Sequence[str]
    parameters: int
    options: Mapping[str, Value]
    optimizer: str | None = None
    factor: float | None = None


@dataclass(frozen=True)
class Row:
    """One group or a family of groups as text: `cells` are the values of the options."""

    name: str
    groups: int
    tensors: int
    parameters: int
    cells: Mapping[str, str] = field(default_factory=dict)
    factor: str = ""


def rows(entries: Sequence[Entry], exact: bool = False) -> list[Row]:
    """A row for each family, in the order of their first groups; with `exact`, nothing is folded or
    rounded."""
    if exact:
        return [_row(entry.name, [entry], value_text) for entry in entries]
    families: dict[object, list[Entry]] = {}
    for entry in entries:
        families.setdefault(_likeness(entry), []).append(entry)
    row_at: dict[int, Row] = {}  # by the `id` of the family's first entry
    for family in families.values():
        ordered = sorted(family, key=lambda entry: _numbers(entry.name))
        name = _name(ordered) if len(family) >= FEWEST and _steady(ordered) else None
        if name is None:
            row_at |= {id(e): _row(e.name, [e], rounded_text) for e in family}
        else:
            row_at[id(family[0])] = _row(name, ordered, rounded_text)
    return [row_at[id(entry)] for entry in entries if id(entry) in row_at]


def _row(name: str, members: Sequence[Entry], text: Callable[[Value], str]) -> Row:
    first, last = members[0], members[-1]
    factors = (first.factor, last.factor)
    return Row(
        visible(name),
        len(members),
        sum(len(entry.tensors) for entry in members),
        sum(entry.parameters for entry in members),
        {
            key: visible(_range(text(value), text(last.options[key])))
            for key, value in first.options.items()
        },
        "" if None in factors else _range(*map(text, factors)),
    )


def _range(first: str, last: str) -> str:
    return first if first == last else f"{first} .. {last}"


def _likeness(entry: Entry) -> object:
    """What the groups of a family have in common: everything except numbers."""
    words = tuple(
        (key, None if is_number(value) else value_key(value))
        for key, value in entry.options.items()
    )
    skeleton = _NUMBER.sub("0", _TIMES.sub("", entry.name))
    return skeleton, entry.optimizer, words, entry.factor is None


def _steady(family: Sequence[Entry]) -> bool:
    """Whether every value rises or falls from the first to the last, so that a range describes
    it."""
    keys = family[0].options
    columns: list[list[Value]] = [[entry.options[key] for entry in family] for key in keys]
    columns.append([entry.factor for entry in family])
    return all(map(_rises_or_falls, columns))


def _rises_or_falls(values: Sequence[Value]) -> bool:
    numbers = [value for value in values if isinstance(value, int | float)]
    steps = [(a <= b, a >= b) for a, b in pairwise(numbers)]
    return all(rises for rises, _ in steps) or all(falls for _, falls in steps)


def _numbers(name: str) -> tuple[int, ...]:
    """The numbers in a name, then its number among groups of the same name."""
    times = _TIMES.search(name)
    base = name[: times.start()] if times else name
    return (*map(int, _NUMBER.findall(base)), int(times[1]) if times and len(times[1]) < 10 else 1)


def _name(family: Sequence[Entry]) -> str | None:
    """The common name of a family, `block{0..11}`; None if a combination is missing."""
    bases = dict.fromkeys(_TIMES.sub("", entry.name) for entry in family)
    numbers = [_NUMBER.findall(base) for base in bases]
    places = [tuple(dict.fromkeys(choices)) for choices in zip(*numbers, strict=True)]
    if prod(map(len, places)) != len(bases):
        return None
    return "".join(_pieces(next(iter(bases)), places))


def _pieces(base: str, places: Sequence[tuple[str, ...]]) -> Iterator[str]:
    end = 0
    for match, choices in zip(_NUMBER.finditer(base), places, strict=True):
        yield base[end : match.start()]
        yield alternatives(choices)
        end = match.end()
    yield base[end:]
