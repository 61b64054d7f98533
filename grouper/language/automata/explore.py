"""The product of several automata: which of them accept the same name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from grouper.language.automata.automaton import DEAD, START, Automaton, automaton
from grouper.language.automata.characters import DOT, NO_DOT, SAMPLE
from grouper.language.automata.meter import Meter, Unknown
from grouper.language.automata.nfa import Nfa
from grouper.text.dataclass import dataclass

MAX_WORK = 30_000  # transitions of single automata: less than a tenth of a second
Place = tuple[tuple[int, int], ...]  # the automata that are alive, by index, and their states
NAMES = -1  # the index of the automaton of all names


@dataclass(frozen=True)
class Explored:
    """The sets of automata, as bits, that are just those accepting some name; each with a shortest
    one.

    Shorter names come first. Where it is not `complete` there may be other sets.
    """

    names: Mapping[int, str]
    complete: bool


def explore(automata: Sequence[Automaton], meter: Meter) -> Explored:
    """The sets of automata that are just those accepting some name, as far as the meter allows."""
    walked = {NAMES: _names(), **dict(enumerate(automata))}
    characters = _characters(list(walked.values()))
    start: Place = tuple((index, START) for index in walked)
    names: dict[int, str] = {}
    seen = {start}
    level = [(start, "")]
    try:
        while level:
            following: list[tuple[Place, str]] = []
            for place, word in level:
                meter.spend(len(characters) * len(place))
                for character in characters:
                    after = _after(walked, place, character, meter)
                    if after is None or after in seen:
                        continue
                    seen.add(after)
                    following.append((after, word + character))
                    if walked[NAMES].accepts(after[0][1]):
                        names.setdefault(_taking(walked, after), word + character)
            level = following
    except Unknown:
        return Explored(names, False)
    return Explored(names, True)


def _after(
    walked: Mapping[int, Automaton], place: Place, character: str, meter: Meter
) -> Place | None:
    """The product state after a character; None where no name continues so."""
    after = []
    for index, state in place:
        reached = walked[index].step(state, character, meter)
        if reached != DEAD:
            after.append((index, reached))
        elif index == NAMES:
            return None
    return tuple(after)


def _taking(walked: Mapping[int, Automaton], place: Place) -> int:
    return sum(1 << index for index, state in place[1:] if walked[index].accepts(state))


def _characters(automata: Sequence[Automaton]) -> list[str]:
    """One representative of each class of characters that the automata tell apart."""
    rows = zip(*(each.classes for each in automata), strict=True)
    first = dict(zip(reversed(list(rows)), reversed(SAMPLE), strict=True))
    named = sorted(frozenset().union(*(each.named for each in automata)))
    chosen = frozenset(first.values())
    return [*(character for character in SAMPLE if character in chosen), *named]


@cache
def _names() -> Automaton:
    """Segments with dots between: what a name is."""

    def segment(nfa: Nfa, at: int) -> int:
        return nfa.many(nfa.take(at, NO_DOT), lambda inner: nfa.take(inner, NO_DOT))

    def build(nfa: Nfa, at: int) -> int:
        at = segment(nfa, at)
        return nfa.many(at, lambda inner: segment(nfa, nfa.take(inner, DOT)))

    return automaton(build)
