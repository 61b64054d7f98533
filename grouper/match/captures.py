"""What a test of a name gives: the numbers that it captures, or None where it does not match."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias


class Captured(int):
    """A captured number, and where it was captured: from where to where in which of the
    parameter's names."""

    start: int
    end: int
    name_index: int = 0

    def __new__(cls, name: str, start: int, end: int, name_index: int = 0) -> Captured:
        made = super().__new__(cls, name[start:end])
        made.start, made.end = start, end
        if name_index:
            made.name_index = name_index
        return made


Captures: TypeAlias = Mapping[str, int]  # Captured ones, as tests of names give them
NameTest: TypeAlias = Callable[[str], Captures | None]

NONE: Captures = {}
DIGITS = "(?:0|[1-9][0-9]{0,17})"  # of numbers that fit into 64 bits
