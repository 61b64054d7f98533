"""What a name alone tells of a parameter: true, false, or open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, assert_never

from grouper.language.syntax import tree
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Atom:
    """A test of a name."""

    test: tree.Glob | tree.Exact | tree.Regex | tree.Within


@dataclass(frozen=True)
class Open:
    """What names do not tell."""


@dataclass(frozen=True)
class Negation:
    claim: Claim


@dataclass(frozen=True)
class All:
    """Every one of the claims holds; with no claims, true."""

    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Either:
    """At least one of the claims holds; with no claims, false."""

    claims: tuple[Claim, ...]


Claim: TypeAlias = Atom | Open | Negation | All | Either
OPEN, ALWAYS, NEVER = Open(), All(()), Either(())


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases, as bits, in which a claim is true and in which it is false; else it is open."""

    true: int
    false: int


def cases(claim: Claim, test: Callable[[Atom], Cases], every: int) -> Cases:
    """The cases of a claim, from those of its tests; `every` has a bit for each case there is."""
    match claim:
        case Atom():
            return test(claim)
        case Open():
            return Cases(0, 0)
        case Negation(claim=inner):
            found = cases(inner, test, every)
            return Cases(found.false, found.true)
        case All(claims=claims):
            true, false = every, 0
            for inner in claims:
                found = cases(inner, test, every)
                true, false = true & found.true, false | found.false
            return Cases(true, false)
        case Either(claims=claims):
            true, false = 0, every
            for inner in claims:
                found = cases(inner, test, every)
                true, false = true | found.true, false & found.false
            return Cases(true, false)
        case _:
            assert_never(claim)


def can_be(claim: Claim, wanted: bool, test_can_be: Callable[[Atom, bool], bool]) -> bool:
    """Whether a claim can have this result, where the tests do not depend on each other."""
    match claim:
        case Atom():
            return test_can_be(claim, wanted)
        case Open():
            return True
        case Negation(claim=inner):
            return can_be(inner, not wanted, test_can_be)
        case All(claims=claims):
            return (all if wanted else any)(can_be(c, wanted, test_can_be) for c in claims)
        case Either(claims=claims):
            return (any if wanted else all)(can_be(c, wanted, test_can_be) for c in claims)
        case _:
            assert_never(claim)


def atoms_of(claim: Claim) -> Iterator[Atom]:
    """Every test of a name in a claim."""
    match claim:
        case Atom():
            yield claim
        case Open():
            pass
        case Negation(claim=inner):
            yield from atoms_of(inner)
        case All(claims=claims) | Either(claims=claims):
            for inner in claims:
                yield from atoms_of(inner)
        case _:
            assert_never(claim)


def only_grows(claim: Claim) -> bool:
    """Whether the claim contains no negation.

    If it holds for one of a parameter's names, it then holds for the parameter, whatever its other
    names are.
    """
    match claim:
        case Atom() | Open():
            return True
        case Negation():
            return False
        case All(claims=claims) | Either(claims=claims):
            return all(map(only_grows, claims))
        case _:
            assert_never(claim)
