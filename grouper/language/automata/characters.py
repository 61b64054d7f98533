"""Sets of characters, and the few characters that stand for all others."""

from __future__ import annotations

import re
import string
from enum import Enum
from functools import cache

from grouper.text.dataclass import dataclass

# The letters, digits and signs that are not ASCII, except those that a pattern names.
OTHERS = ("\u0298", "\u096d", "\u2e1c")
# The nicer ones first: they are what examples are made of.
SAMPLE = (
    *string.ascii_lowercase, *string.digits, "_", ".", *string.ascii_uppercase,
    *(c for c in map(chr, range(32, 127)) if not c.isalnum() and c not in "_."),
    *OTHERS,
)  # fmt: skip


class Kind(Enum):
    """What assertions such as `\\b` ask of a character; EDGE is before or after the name."""

    EDGE = 0
    DIGIT = 1
    WORD = 2
    OTHER = 3


@dataclass(frozen=True)
class Characters:
    """The characters of some ranges and of `re`'s classes (`\\d`), or all others."""

    ranges: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    negated: bool = False

    def __contains__(self, character: str) -> bool:
        inside = any(first <= character <= last for first, last in self.ranges)
        inside = inside or any(in_class(name, character) for name in self.classes)
        return inside != self.negated

    @property
    def named(self) -> frozenset[str]:
        """The characters that are named, other than those that SAMPLE represents."""
        return frozenset(first for first, last in self.ranges if not last.isascii())

    @property
    def covered(self) -> bool:
        """Whether SAMPLE and those that are named stand for all characters."""
        wide = ((a, b) for a, b in self.ranges if not b.isascii())
        return all(a == b and a not in OTHERS for a, b in wide)


ANY = Characters(negated=True)
DOT = Characters(((".", "."),))
NO_DOT = Characters(((".", "."),), negated=True)
DIGITS = Characters((("0", "9"),))
NOT_ZERO = Characters((("1", "9"),))


def literal(character: str) -> Characters:
    return Characters(((character, character),))


@cache
def in_class(name: str, character: str) -> bool:
    return re.match(name, character) is not None


@cache
def kind_of(character: str) -> Kind:
    if "0" <= character <= "9":
        return Kind.DIGIT
    return Kind.WORD if in_class(r"\w", character) else Kind.OTHER
