"""Deterministic automata, built lazily from nondeterministic ones: states are made when reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from grouper.language.automata.characters import SAMPLE, Kind, kind_of
from grouper.language.automata.meter import Meter
from grouper.language.automata.nfa import Nfa

START, DEAD = 0, -1
State = tuple[int, Kind]  # the states of the other automaton, as bits, and the last character


class Automaton:
    """The deterministic automaton of an Nfa. States are numbers; DEAD accepts nothing.

    `exact` is false where it accepts more words than the selector that it stands for.
    """

    def __init__(self, nfa: Nfa, exact: bool = True) -> None:
        self.exact = exact
        self._nfa = nfa
        self._asserts = any(a is not None for leaving in nfa.transitions for _, a in leaving)
        self._states: list[State] = [(1, Kind.EDGE)]
        self._numbers = {self._states[0]: START}
        self._next: list[dict[str, int]] = [{}]
        self._accepts: dict[int, bool] = {}
        self._closures: dict[tuple[int, Kind, Kind], int] = {}
        self._takers: dict[str, int] = {}

    @cached_property
    def named(self) -> frozenset[str]:
        """The characters to try beside SAMPLE: those that the pattern names."""
        return frozenset().union(*(taken.named for taken in self._nfa.takes if taken))

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """A class number for each character of SAMPLE: one class leads to the same states."""
        numbers: dict[object, int] = {}
        kinds = ((kind_of(c) if self._asserts else None) for c in SAMPLE)
        told = ((self._taking(c), kind) for c, kind in zip(SAMPLE, kinds, strict=True))
        return tuple([numbers.setdefault(each, len(numbers)) for each in told])

    def step(self, state: int, character: str, meter: Meter) -> int:
        """The state after a character. Raises Unknown where the meter does."""
        found = self._next[state].get(character)
        if found is None:
            meter.spend(1 + self._states[state][0].bit_count())
            found = self._next[state][character] = self._step(state, character)
        return found

    def accepts(self, state: int) -> bool:
        """Whether the word read so far is accepted."""
        if state not in self._accepts:
            closed = self._closed(*self._states[state], Kind.EDGE)
            self._accepts[state] = bool(closed >> self._nfa.end & 1)
        return self._accepts[state]

    def matches(self, word: str) -> bool:
        meter, state = Meter(), START
        for character in word:
            state = self.step(state, character, meter)
            if state == DEAD:
                return False
        return self.accepts(state)

    def _step(self, state: int, character: str) -> int:
        inside, before = self._states[state]
        kind = kind_of(character) if self._asserts else Kind.OTHER
        reached = (self._closed(inside, before, kind) & self._taking(character)) << 1
        if not reached:
            return DEAD
        after: State = (reached, kind)
        if after not in self._numbers:
            self._numbers[after] = len(self._states)
            self._states.append(after)
            self._next.append({})
        return self._numbers[after]

    def _taking(self, character: str) -> int:
        """The states that take a character, as bits."""
        if character not in self._takers:
            takes = self._nfa.takes
            self._takers[character] = sum(
                1 << i for i, taken in enumerate(takes) if taken is not None and character in taken
            )
        return self._takers[character]

    def _closed(self, inside: int, before: Kind, after: Kind) -> int:
        """The epsilon closure of some states, at a position between two characters."""
        if not self._asserts:
            before = after = Kind.EDGE
        closed, known = 0, self._closures
        for state in bits(inside):
            key = (state, before, after)
            if key not in known:
                known[key] = self._reach(state, before, after)
            closed |= known[key]
        return closed

    def _reach(self, state: int, before: Kind, after: Kind) -> int:
        reached, waiting = 1 << state, [state]
        while waiting:
            for to, assertion in self._nfa.transitions[waiting.pop()]:
                passes = assertion is None or assertion.holds(before, after)
                if passes and not reached >> to & 1:
                    reached |= 1 << to
                    waiting.append(to)
        return reached


def automaton(build: Callable[[Nfa, int], int], exact: bool = True) -> Automaton:
    """The automaton of what `build` adds to an empty Nfa. Raises Unknown as `build` does."""
    nfa = Nfa()
    nfa.end = build(nfa, 0)
    return Automaton(nfa, exact)


def bits(number: int) -> Iterator[int]:
    """The positions of the ones in a number, the lowest first."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low
