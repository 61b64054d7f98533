"""The prefixes of the names that a selector can match, so that others need not be tested."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import assert_never

from grouper.language.facts import FACTS
from grouper.language.syntax import tree
from grouper.match.globs import literal_start

_ZEROS = bytes.maketrans(b"123456789", b"000000000")


def skeleton_of(text: str) -> str:
    """The text with zeros for all digits: names that differ in numbers of equal length share it."""
    # On bytes, because `str.translate` takes nine times as long.
    coded = text.encode("utf-8", "surrogatepass").translate(_ZEROS)
    return coded.decode("utf-8", "surrogatepass")


class NameStarts:
    """Selectors by the prefixes of the names that they can match.

    A file with a rule for each layer then costs each name a few look-ups, not a test for each
    layer. All digits count as one here.
    """

    def __init__(self, selectors: Sequence[tree.Selector | None]) -> None:
        self._anywhere: list[int] = []
        self._starts: dict[int, dict[str, list[int]]] = {}
        for index, selector in enumerate(selectors):
            starts = name_starts(selector)
            for start in set(map(skeleton_of, starts)):
                self._starts.setdefault(len(start), {}).setdefault(start, []).append(index)
            if not starts:
                self._anywhere.append(index)

    def of(self, skeleton: str) -> set[int]:
        """The indexes of the selectors that may match a name, by the name's skeleton."""
        found = set(self._anywhere)
        for length, by_text in self._starts.items():
            found.update(by_text.get(skeleton[:length], ()))
        return found


def name_starts(selector: tree.Selector | None) -> tuple[str, ...]:
    """Prefixes such that every parameter that the selector matches, or reports something about, has
    a name with one of them; none where any parameter may be one.
    """
    match selector:
        case (tree.Glob() as glob) | tree.Within(module=tree.Glob() as glob):
            start = literal_start(glob)
            return (start,) if start else ()
        case tree.Exact(name=name) | tree.Within(module=tree.Exact(name=name)):
            return (name,) if name else ()
        case tree.Or(operands=operands):
            of_each = [name_starts(operand) for operand in operands]
            return tuple(dict.fromkeys(chain(*of_each))) if all(of_each) else ()
        case tree.And(operands=operands):
            if not all(map(_never_fails, operands)):
                return ()  # what fails is reported, whichever parameters it fails for
            return max(map(name_starts, operands), key=_narrowness)
        case tree.Regex() | tree.ClassName() | tree.Within() | tree.Comparison():
            return ()
        case tree.Flag() | tree.Has() | tree.Not() | None:
            return ()
        case _:
            assert_never(selector)


def _narrowness(starts: tuple[str, ...]) -> int:
    return min(map(len, starts), default=0)


def _never_fails(selector: tree.Selector) -> bool:
    """Whether testing the selector never fails, whatever the parameter."""
    match selector:
        case tree.Comparison(left=tree.Word(name=fact), right=tree.Number()):
            return fact in FACTS and fact not in ("dtype", "shape")
        case tree.Comparison() | tree.Regex():
            return False
        case tree.Not(operand=operand):
            return _never_fails(operand)
        case tree.And(operands=operands) | tree.Or(operands=operands):
            return all(map(_never_fails, operands))
        case tree.Glob() | tree.Exact() | tree.ClassName() | tree.Within():
            return True
        case tree.Flag() | tree.Has():
            return True
        case _:
            assert_never(selector)
