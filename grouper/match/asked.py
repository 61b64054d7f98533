"""What the answer of a selector depends on: parameters that agree in it get the same answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from grouper.language.facts import FACTS
from grouper.language.resolve.walk import (
    asked_marks,
    attributes,
    capture_order,
    comparisons,
    words,
)
from grouper.language.syntax import tree
from grouper.language.syntax.regexes import digits_are_alike
from grouper.match.digit_texts import ByDigits, digit_texts, has_digits
from grouper.match.glob_regex import integers
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Asked:
    """What is asked of a parameter beside the characters of its name that are no digits.

    `texts` have digits: of these the places in the name matter. `numbers` says that the zeros with
    which numbers begin matter, `zeros` that all do, `name` that the whole name does. `facts` are
    those of expressions, and `trainable`, `class` (the owner's) and `above` (of all modules above).
    """

    texts: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    numbers: bool = False
    zeros: bool = False
    name: bool = False


NOTHING = Asked()
_WHOLE_NAME = Asked(name=True)


def together(several: Iterable[Asked]) -> Asked:
    """What any of them depends on."""
    listed = list(several)
    return Asked(
        frozenset().union(*(one.texts for one in listed)),
        frozenset().union(*(one.facts for one in listed)),
        frozenset().union(*(one.marks for one in listed)),
        any(one.numbers for one in listed),
        any(one.zeros for one in listed),
        any(one.name for one in listed),
    )


def _both(one: Asked, other: Asked) -> Asked:
    return together((one, other))


def asked(selector: tree.Selector | None) -> Asked:
    """What a selector or a condition depends on."""
    match selector:
        case None:
            return NOTHING
        case tree.Glob() | tree.Exact():
            return _of_path(selector)
        case tree.Regex(pattern=pattern):
            return Asked(zeros=bool(capture_order(selector)), name=not digits_are_alike(pattern))
        case tree.ClassName():
            return Asked(facts=frozenset({"class"}))
        case tree.Within(module=module):
            above = Asked(facts=frozenset({"above"}))
            return above if isinstance(module, tree.ClassName) else _both(_of_path(module), above)
        case tree.Comparison():
            return _of_comparison(selector)
        case tree.Flag(name=name):
            return Asked(facts=frozenset({name} - {"tied"}))
        case tree.Has():
            return Asked(marks=frozenset(asked_marks(selector)))
        case tree.Not(operand=operand):
            return asked(operand)
        case tree.And(operands=operands):
            captures = [name for operand in operands for name in capture_order(operand)]
            twice = len(set(captures)) < len(captures)  # both must have captured one number
            return _both(together(map(asked, operands)), Asked(name=twice))
        case tree.Or(operands=operands):
            return together(map(asked, operands))
        case _:
            assert_never(selector)


def _of_path(path: tree.Glob | tree.Exact) -> Asked:
    if isinstance(path, tree.Exact):
        return Asked(frozenset({path.name} if has_digits(path.name) else ()))
    try:
        texts = digit_texts(path)
    except ByDigits:
        return _WHOLE_NAME
    free = any(number.first is None for number in integers(path.pieces))
    return Asked(texts, numbers=free)


def _of_comparison(comparison: tree.Comparison) -> Asked:
    sides = [side for one in comparisons(comparison) for side in (one.left, one.right)]
    names = {word.name for side in sides for word, _ in words(side)}
    of_base = any(True for side in sides for _ in attributes(side))
    return Asked(facts=frozenset(names & {*FACTS}), name=of_base)
