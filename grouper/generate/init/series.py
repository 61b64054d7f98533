"""Rules with captured numbers: where options follow the number of a layer, one rule says it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from grouper.generate.init.settings import short
from grouper.language.ruleset import literal
from grouper.language.syntax.unparse import expression_text
from grouper.model.inventory import Inventory
from grouper.options.values import Value, is_number, same
from grouper.text.dataclass import dataclass

_NUMBER = re.compile(r"(?<![\d])(0|[1-9]\d*)(?=\.)")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
LEAST = 3  # numbers, and classes, that a rule with captures is worth
MOST = 8  # rules with captures in a split
_MOST_PLACES = 3  # numbers of a name that are looked at
_MOST_POWER = 1_000

Numbers = tuple[int, ...]


@dataclass(frozen=True)
class Series:
    """A glob with captures, and the class of each match's numbers. `mask` is all that it takes."""

    glob: str
    captures: tuple[str, ...]
    word: str
    mask: int
    classes: Mapping[Numbers, int]

    @property
    def order(self) -> list[Numbers]:
        return sorted(self.classes)


@dataclass(frozen=True)
class _Template:
    pieces: tuple[str, ...]
    members: dict[int, Numbers]


def find_series(
    classes: Sequence[int], inventory: Inventory, letters: Iterator[str]
) -> list[Series]:
    """The series by which classes of parameters are told apart; the largest first.

    `classes` are sets of parameters, as bits; those of no class count for nothing.
    """
    of: dict[int, int] = {}
    for number, mask in enumerate(classes):
        while mask:
            lowest = mask & -mask
            of[lowest.bit_length() - 1] = number
            mask ^= lowest
    templates = _templates(inventory)
    left = set(of)
    found: list[Series] = []
    while len(found) < MOST and (best := _best(templates, of, left)):
        series = _series(best, of, letters)
        found.append(series)
        left -= best.members.keys()
        templates = [t for t in templates if t is not best]
    return found


def _templates(inventory: Inventory) -> list[_Template]:
    """Every glob that names suggest: one or two of a name's first numbers, captured."""
    found: dict[tuple[str, ...], dict[int, Numbers]] = {}
    for index, parameter in enumerate(inventory.parameters):
        name = parameter.name
        if parameter.tied or not _PLAIN.fullmatch(name):
            continue
        places = list(_NUMBER.finditer(name))[:_MOST_PLACES]
        for first, place in enumerate(places):
            found.setdefault((name[: place.start()],), {})[index] = (int(place[0]),)
            for second in places[first + 1 :]:
                both = name[: place.start()], name[place.end() : second.start()]
                found.setdefault(both, {})[index] = (int(place[0]), int(second[0]))
    return [_Template(pieces, members) for pieces, members in found.items()]


def _best(
    templates: Sequence[_Template], of: Mapping[int, int], left: set[int]
) -> _Template | None:
    def worth(template: _Template) -> tuple[int, int, int]:
        members = template.members.keys() & left
        return len({of[i] for i in members}), len(members), -len(template.pieces)

    fitting = [t for t in templates if _is_series(t, of, left)]
    return max(fitting, key=worth, default=None)


def _is_series(template: _Template, of: Mapping[int, int], left: set[int]) -> bool:
    """Whether each number has one class, and there are enough of both that are not said yet."""
    classes: dict[Numbers, int] = {}
    fresh = set()
    for index, numbers in template.members.items():
        if index in of and classes.setdefault(numbers, of[index]) != of[index]:
            return False
        if index in left:
            fresh.add(of[index])
    all_numbers = set(template.members.values())
    return len(fresh) >= LEAST and len(all_numbers) == len(classes) >= LEAST


def _series(template: _Template, of: Mapping[int, int], letters: Iterator[str]) -> Series:
    captures = tuple(next(letters) for _ in template.pieces)
    glob = "".join(
        f"{piece}{{{name}}}" for piece, name in zip(template.pieces, captures, strict=True)
    )
    classes = {n: of[i] for i, n in template.members.items() if i in of}
    words = re.findall(r"[A-Za-z_]+", template.pieces[-1]) or re.findall(
        r"[A-Za-z_]+", "".join(template.pieces)
    )
    mask = sum(1 << index for index in template.members)
    return Series(f"{glob}.*", captures, words[-1] if words else "layer", mask, classes)


def formula(series: Series, values: Sequence[Value], highest: Value) -> str | None:
    """The expression that gives each number's value, in `series.order`, to the last bit: one value,
    or a power that may begin at the `highest` of all; None where only a table does."""
    if all(same(value, values[0]) for value in values):
        return _text(values[0])
    return _geometric(series, values, highest)


def table(values: Sequence[Value]) -> str:
    """The values as a tuple."""
    return f"({', '.join(map(_text, values))})"


def looked_up(series: Series, name: str) -> str:
    """The expression that looks each number's value up in a table of this name."""
    return f"{name}[{_place(series)}]"


def _place(series: Series) -> str:
    """The place of a match in the order of its numbers, from 0 on."""
    order = series.order
    if len(series.captures) == 1:
        first = order[0][0]
        if [n for (n,) in order] == list(range(first, first + len(order))):
            return series.captures[0] if first == 0 else f"{series.captures[0]} - {first}"
    return f"rank({', '.join(series.captures)})"


def _geometric(series: Series, values: Sequence[Value], first: Value) -> str | None:
    """`0.75**(count(i) - i)`, or a first factor times that, where it is exact."""
    numbers = [float(v) for v in values if is_number(v) and v > 0]
    if len(numbers) != len(values) or len(set(numbers)) != len(numbers):
        return None
    ratio = round((numbers[0] / numbers[-1]) ** (1 / (len(numbers) - 1)), 9)
    if not 0 < ratio < 1:
        return None
    given = [float(first)] if isinstance(first, int | float) and first > 0 else []
    for factor in (1.0, *given, *_factors(numbers[-1], ratio)):
        last = round(math.log(numbers[-1] / factor) / math.log(ratio))
        if not 0 <= last <= _MOST_POWER:
            continue
        highest = last + len(numbers) - 1
        if all(n == factor * ratio ** (highest - k) for k, n in enumerate(numbers)):
            scale = f"{_text(factor)} * " if factor != 1 else ""
            return f"{scale}{_text(ratio)}**({_power(series, highest)})"
    return None


def _factors(last: float, ratio: float) -> list[float]:
    """What the highest value may be a power of the ratio of: rounded to what people write."""
    return [float(f"{last / ratio**power:.6g}") for power in range(4)]


def _power(series: Series, highest: int) -> str:
    count = f"count({', '.join(series.captures)})"
    more = highest - len(series.order)
    top = count if more == 0 else f"{count} {'+' if more > 0 else '-'} {abs(more)}"
    place = _place(series)
    return f"{top} - {place}" if " - " not in place else f"{top} - ({place})"


def _text(value: Value) -> str:
    return expression_text(literal(short(value)))
