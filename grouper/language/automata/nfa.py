"""Nondeterministic automata, built piece by piece, with assertions on their epsilon transitions."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from grouper.language.automata.characters import Characters, Kind
from grouper.language.automata.meter import Unknown
from grouper.text.dataclass import dataclass, field

MAX_STATES = 2_000


class Assertion(Enum):
    """What an epsilon transition asks of the characters before and after it."""

    BEGIN = "begin"
    END = "end"
    WORD_EDGE = "word edge"
    NO_WORD_EDGE = "no word edge"
    NO_DIGIT_BEFORE = "no digit before"
    NO_DIGIT_AFTER = "no digit after"

    def holds(self, before: Kind, after: Kind) -> bool:
        match self:
            case Assertion.BEGIN:
                return before is Kind.EDGE
            case Assertion.END:
                return after is Kind.EDGE
            case Assertion.NO_DIGIT_BEFORE:
                return before is not Kind.DIGIT
            case Assertion.NO_DIGIT_AFTER:
                return after is not Kind.DIGIT
            case Assertion.WORD_EDGE | Assertion.NO_WORD_EDGE:
                edge = _is_word(before) != _is_word(after)
                return edge == (self is Assertion.WORD_EDGE)


def _is_word(kind: Kind) -> bool:
    return kind in (Kind.DIGIT, Kind.WORD)


Transition = tuple[int, Assertion | None]


@dataclass
class Nfa:
    """States are numbers; one that reads a character leads to the next number.

    Each method adds a part at a state and returns the state after it; `end` is the accepting state.
    """

    takes: list[Characters | None] = field(default_factory=lambda: [None])
    transitions: list[list[Transition]] = field(default_factory=lambda: [[]])
    end: int = 0

    def new(self) -> int:
        if len(self.takes) >= MAX_STATES:
            raise Unknown("too many states")
        self.takes.append(None)
        self.transitions.append([])
        return len(self.takes) - 1

    def move(self, at: int, to: int, assertion: Assertion | None = None) -> None:
        self.transitions[at].append((to, assertion))

    def take(self, at: int, characters: Characters) -> int:
        """One of these characters."""
        if not characters.covered:
            raise Unknown("a range of characters that are not ASCII")
        if at != len(self.takes) - 1 or self.takes[at] is not None:
            at = self.asserted(at, None)
        self.takes[at] = characters
        return self.new()

    def asserted(self, at: int, assertion: Assertion | None) -> int:
        """Reads nothing, and passes only where the assertion holds."""
        to = self.new()
        self.move(at, to, assertion)
        return to

    def either(self, at: int, parts: list[Callable[[int], int]]) -> int:
        """One of several parts."""
        ends = [part(self.asserted(at, None)) for part in parts]
        join = self.new()
        for end in ends:
            self.move(end, join)
        return join

    def many(self, at: int, part: Callable[[int], int]) -> int:
        """A part repeated any number of times."""
        loop = self.asserted(at, None)
        self.move(part(self.asserted(loop, None)), loop)
        return self.asserted(loop, None)

    def optional(self, at: int, part: Callable[[int], int]) -> int:
        return self.either(at, [part, lambda inner: inner])
