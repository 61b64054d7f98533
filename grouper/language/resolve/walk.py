"""The words that expressions use, and the numbers that selectors capture."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.language.syntax import tree


def words(expression: tree.Expression, due: bool = False) -> Iterator[tuple[tree.Word, bool]]:
    """Every word of an expression, and whether a number is due in its place."""
    match expression:
        case tree.Word():
            yield expression, due
        case tree.Tuple(items=items):
            for item in items:
                yield from words(item, due)
        case tree.Unary(operand=operand):
            yield from words(operand, True)
        case tree.Binary(left=left, right=right):
            yield from words(left, True)
            yield from words(right, True)
        case tree.Call(arguments=arguments):
            for argument in arguments:
                yield from words(argument, True)
        case tree.Subscript(index=index):
            yield from words(index, True)


def calls(expression: tree.Expression) -> Iterator[tree.Call]:
    """Every call in an expression."""
    match expression:
        case tree.Tuple(items=items):
            for item in items:
                yield from calls(item)
        case tree.Unary(operand=operand):
            yield from calls(operand)
        case tree.Binary(left=left, right=right):
            yield from calls(left)
            yield from calls(right)
        case tree.Call(arguments=arguments):
            yield expression
            for argument in arguments:
                yield from calls(argument)
        case tree.Subscript(index=index):
            yield from calls(index)


def comparisons(selector: tree.Selector | None) -> Iterator[tree.Comparison]:
    """Every comparison in a selector."""
    match selector:
        case tree.Comparison():
            yield selector
        case tree.Not(operand=operand):
            yield from comparisons(operand)
        case tree.And(operands=operands) | tree.Or(operands=operands):
            for operand in operands:
                yield from comparisons(operand)


def captures(selector: tree.Selector | None) -> frozenset[str]:
    """The captures that every match of a selector has."""
    match selector:
        case tree.Glob():
            return _of_glob(selector)
        case tree.Regex(pattern=pattern):
            return frozenset(re.compile(pattern).groupindex)
        case tree.And(operands=operands):
            return frozenset().union(*map(captures, operands))
        case tree.Or(operands=operands):
            return frozenset.intersection(*map(captures, operands))
    return frozenset()


def possible_captures(selector: tree.Selector | None) -> frozenset[str]:
    """The captures that some match of a selector may have."""
    match selector:
        case tree.Glob(pieces=pieces):
            return frozenset().union(*map(_possible, pieces))
        case tree.Or(operands=operands) | tree.And(operands=operands):
            return frozenset().union(*map(possible_captures, operands))
    return captures(selector)


def _of_glob(glob: tree.Glob) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for piece in glob.pieces:
        if isinstance(piece, tree.Integer) and piece.capture:
            found |= {piece.capture}
        elif isinstance(piece, tree.Alternatives):
            found |= frozenset.intersection(*map(_of_glob, piece.options))
    return found


def _possible(piece: tree.Piece) -> frozenset[str]:
    if isinstance(piece, tree.Integer) and piece.capture:
        return frozenset({piece.capture})
    if isinstance(piece, tree.Alternatives):
        return frozenset().union(*map(possible_captures, piece.options))
    return frozenset()
