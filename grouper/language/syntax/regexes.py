"""What is wrong with a regex: what `re` refuses, and what `re` could search forever.

`re` tries every way to match before it gives up. There is more than one way where a repeat's
iterations can share text: where what a repeated part may begin with also fits where the part
could go on. The check reads `re`'s own parse tree and compares, for every repeat, the characters
that may begin its next iteration (or what follows) with those that may lengthen the current one.
It may refuse a harmless regex; what it accepts is polynomial, of a small degree.
"""

from __future__ import annotations

import re
import string
import warnings
from functools import cache
from re import _constants as op
from re import _parser as sre
from typing import Any

from grouper.text.dataclass import dataclass

ALPHABET = frozenset(string.ascii_letters + string.digits + "_.-@:/ ")
CATEGORIES = {  # classes of characters in the parse tree, as a regex writes them
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}
_DIGITS = frozenset(string.digits)
MAX_LENGTH = 1000
MAX_DEGREE = 4
_MANY = 3  # a bounded repeat that may run more often is treated as unbounded


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a regex cannot be used."""

    message: str
    help: str
    costly: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What the check knows of a part: the characters that may begin it, and lengthen it once it
    is matched; whether it may be empty; and how many of its joints can shift along the text."""

    first: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()
    empty: bool = True
    degree: int = 0


class _Costly(Exception):
    pass


def fault(pattern: str) -> Fault | None:
    """None for a regex that can be searched in every name, else what is wrong with it."""
    if len(pattern) > MAX_LENGTH:
        return Fault(
            f"the regex has {len(pattern)} characters, and {MAX_LENGTH} is the most",
            "use several rules, or a glob",
            costly=True,
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
            parsed = sre.parse(pattern)
        shape = _sequence(list(parsed))
    except (re.error, OverflowError, Warning) as error:
        return Fault(f"`re` does not accept the regex: {error}", "correct it, or use a glob")
    except RecursionError:
        return Fault("the regex is nested too deeply", "use a glob", costly=True)
    except _Costly as error:
        return Fault(
            f"the regex could take forever: {error}",
            "make the repeated parts disjoint (end each at a dot, say), or use a glob",
            costly=True,
        )
    if shape.degree > MAX_DEGREE:
        return Fault(
            f"the regex could take hours: {shape.degree} of its repeats can shift",
            "remove some of them, or use a glob, where any number of `*` is fast",
            costly=True,
        )
    return None


@cache
def degree(pattern: str) -> int:
    """How many repeats of a sound regex can shift: a search takes about length ** (degree + 1)."""
    return _sequence(list(sre.parse(pattern))).degree


@cache
def digits_are_alike(pattern: str) -> bool:
    """Whether a search finds the same in two names that differ in digits alone."""
    return _digits_are_alike(list(sre.parse(pattern)))


def _digits_are_alike(items: list[Any]) -> bool:
    for code, value in items:
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            parts = [value[2]]
        elif code is op.BRANCH:
            parts = value[1]
        elif code is op.SUBPATTERN:
            parts = [value[3]]
        elif code is op.ATOMIC_GROUP:
            parts = [value]
        elif code in (op.ASSERT, op.ASSERT_NOT):
            parts = [value[1]]
        elif code in (op.GROUPREF, op.GROUPREF_EXISTS):
            return False
        elif code is op.AT or _characters(code, value) & _DIGITS in (frozenset(), _DIGITS):
            parts = []
        else:
            return False
        if not all(_digits_are_alike(list(part)) for part in parts):
            return False
    return True


def _sequence(items: list[Any]) -> Shape:
    whole = Shape()
    for item in items:
        whole = _then(whole, _part(*item))
    return whole


def _then(left: Shape, right: Shape) -> Shape:
    return Shape(
        first=left.first | right.first if left.empty else left.first,
        more=right.more | (left.more | right.first if right.empty else frozenset()),
        empty=left.empty and right.empty,
        degree=left.degree + right.degree + bool(left.more & right.first),
    )


def _part(code: Any, value: Any) -> Shape:
    if code in (op.MAX_REPEAT, op.MIN_REPEAT):
        low, high, inner = value
        return _repeat(low, high, _sequence(list(inner)))
    if code is op.POSSESSIVE_REPEAT:
        low, _, inner = value
        shape = _sequence(list(inner))
        return Shape(shape.first, shape.first, low == 0 or shape.empty, shape.degree)
    if code is op.BRANCH:
        return _branch([_sequence(list(branch)) for branch in value[1]])
    if code is op.SUBPATTERN:
        return _sequence(list(value[3]))
    if code is op.ATOMIC_GROUP:
        return _sequence(list(value))
    if code in (op.ASSERT, op.ASSERT_NOT):
        return Shape(degree=_sequence(list(value[1])).degree)
    if code is op.AT:
        return Shape()
    if code in (op.GROUPREF, op.GROUPREF_EXISTS):
        return Shape(ALPHABET, ALPHABET, True)
    return Shape(_characters(code, value), frozenset(), False)


def _repeat(low: int, high: Any, inner: Shape) -> Shape:
    many = high is op.MAXREPEAT or high > _MANY
    loops = high is op.MAXREPEAT or high > 1
    if many and inner.empty and inner.first:
        raise _Costly("a part that may be empty is repeated")
    if many and inner.more & inner.first:
        raise _Costly("a repeated part holds a repeat that can match the same text")
    if many and inner.degree:
        raise _Costly("a repeated part can end at several places of the same text")
    return Shape(
        first=inner.first,
        more=inner.more | (inner.first if loops else frozenset()),
        empty=low == 0 or inner.empty,
        degree=inner.degree,
    )


def _branch(branches: list[Shape]) -> Shape:
    first: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    for branch in branches:
        shared |= first & branch.first
        first |= branch.first
    return Shape(
        first=first,
        # Branches that begin alike are several ways to match: a repeat of them is refused.
        more=frozenset().union(*(branch.more for branch in branches), shared),
        empty=any(branch.empty for branch in branches),
        degree=max(branch.degree for branch in branches),
    )


@cache
def _category(code: Any) -> frozenset[str]:
    return frozenset(c for c in ALPHABET if re.match(CATEGORIES[code], c))


def _characters(code: Any, value: Any) -> frozenset[str]:
    if code is op.LITERAL:
        return frozenset(chr(value))
    if code is op.NOT_LITERAL:
        return ALPHABET - {chr(value)}
    if code is op.ANY:
        return ALPHABET
    if code is op.IN:
        items = list(value)
        negated = items[0][0] is op.NEGATE
        found = frozenset[str]().union(*(_member(*item) for item in items[negated:]))
        return ALPHABET - found if negated else found
    return ALPHABET


def _member(code: Any, value: Any) -> frozenset[str]:
    if code is op.LITERAL:
        return frozenset(chr(value))
    if code is op.RANGE:
        low, high = value
        inside = frozenset(c for c in ALPHABET if low <= ord(c) <= high)
        return inside or frozenset(chr(low))
    return _category(value)
