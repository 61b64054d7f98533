"""The numbers that captures take over the whole model: `rank`, `count`, `min` and `max`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

Numbers = tuple[int | None, ...]  # one for each capture of a family, None where a match lacks it
_BELOW_ALL = -1  # captured numbers begin at 0


@dataclass(frozen=True)
class Family:
    """The numbers that some captures of a rule take together, over all that its selector matches.

    `names` are the captures in the order in which they stand in the name.
    """

    names: tuple[str, ...]
    taken: frozenset[Numbers]

    @cached_property
    def whole(self) -> list[tuple[int, ...]]:
        """Those that lack no capture, in rising order."""
        return sorted(numbers for numbers in self.taken if None not in numbers)  # type: ignore[type-var]

    def count(self) -> int:
        """How many distinct ones there are; a match that lacks a capture adds nothing."""
        return len(self.whole)

    def rank(self, captures: Mapping[str, int]) -> int:
        """How many distinct ones are smaller; a number that a match lacks is smaller than all."""
        own = tuple(captures.get(name, _BELOW_ALL) for name in self.names)
        return bisect_left(self.whole, own)

    def smallest(self) -> int | None:
        """The smallest number of the first capture, None where no match has one."""
        return min((n for n, *_ in self.taken if n is not None), default=None)

    def largest(self) -> int | None:
        """The largest number of the first capture, None where no match has one."""
        return max((n for n, *_ in self.taken if n is not None), default=None)


def family(names: tuple[str, ...], matches: Iterable[Mapping[str, int]]) -> Family:
    """The family of the captures `names` in what a selector captured, name by name."""
    return Family(names, frozenset(tuple(map(captures.get, names)) for captures in matches))
