"""The words that expressions use, and the numbers that selectors capture."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.language.syntax import tree


def words(expression: tree.Expression, number: bool = False) -> Iterator[tuple[tree.Word, bool]]:
    """Every word of an expression, and whether it must be a number in its place."""
    match expression:
        case tree.Word():
            yield expression, number
        case tree.Subscript(of=of):
            if isinstance(of, tree.Word):
                yield of, False
            yield from words(expression.index, True)
        case tree.Tuple(items=items):
            for item in items:
                yield from words(item, number)
        case tree.Unary() | tree.Binary() | tree.Call():
            for part in _parts(expression):
                yield from words(part, True)
        case tree.Configured(options=options):
            for option in options:
                yield from words(option.value)
        case tree.Number() | tree.Constant() | tree.String() | tree.Attribute():
            pass


def calls(expression: tree.Expression) -> Iterator[tree.Call]:
    """Every call in an expression."""
    if isinstance(expression, tree.Call):
        yield expression
    for part in _parts(expression):
        yield from calls(part)


def attributes(expression: tree.Expression) -> Iterator[tree.Attribute]:
    """Every `label.key` of an expression."""
    if isinstance(expression, tree.Attribute):
        yield expression
    if isinstance(expression, tree.Subscript) and isinstance(expression.of, tree.Attribute):
        yield expression.of
    for part in _parts(expression):
        yield from attributes(part)


def _parts(expression: tree.Expression) -> tuple[tree.Expression, ...]:
    """The expressions inside an expression."""
    match expression:
        case tree.Tuple(items=items):
            return items
        case tree.Unary(operand=operand):
            return (operand,)
        case tree.Binary(left=left, right=right):
            return left, right
        case tree.Call(arguments=arguments):
            return arguments
        case tree.Subscript(index=index):
            return (index,)
        case tree.Configured(options=options):
            return tuple(option.value for option in options)
        case tree.Number() | tree.Constant() | tree.String() | tree.Word() | tree.Attribute():
            return ()


def comparisons(selector: tree.Selector | None) -> Iterator[tree.Comparison]:
    """Every comparison in a selector or a condition."""
    match selector:
        case tree.Comparison():
            yield selector
        case tree.Not(operand=operand):
            yield from comparisons(operand)
        case tree.And(operands=operands) | tree.Or(operands=operands):
            for operand in operands:
                yield from comparisons(operand)
        case (
            tree.Glob()
            | tree.Regex()
            | tree.Exact()
            | tree.ClassName()
            | tree.Within()
            | tree.Flag()
            | tree.Has()
            | None
        ):
            pass


def asked_marks(selector: tree.Selector | None) -> Iterator[str]:
    """Every word that a selector asks for with `has`."""
    match selector:
        case tree.Has(name=name):
            yield name
        case tree.Not(operand=operand):
            yield from asked_marks(operand)
        case tree.And(operands=operands) | tree.Or(operands=operands):
            for operand in operands:
                yield from asked_marks(operand)
        case (
            tree.Glob()
            | tree.Regex()
            | tree.Exact()
            | tree.ClassName()
            | tree.Within()
            | tree.Flag()
            | tree.Comparison()
            | None
        ):
            pass


def captures(selector: tree.Selector | None) -> frozenset[str]:
    """The captures that every match of a selector sets."""
    match selector:
        case tree.Glob():
            return _of_glob(selector)
        case tree.Regex(pattern=pattern):
            return frozenset(re.compile(pattern).groupindex)
        case tree.Within(module=tree.Glob() as path):
            return _of_glob(path)
        case tree.And(operands=operands):
            return frozenset().union(*map(captures, operands))
        case tree.Or(operands=operands):
            return frozenset.intersection(*map(captures, operands))
        case tree.Exact() | tree.ClassName() | tree.Within() | tree.Comparison():
            return frozenset()
        case tree.Flag() | tree.Has() | tree.Not() | None:
            return frozenset()


def possible_captures(selector: tree.Selector | None) -> frozenset[str]:
    """The captures that some match of a selector may set."""
    return frozenset(capture_order(selector))


def capture_order(selector: tree.Selector | None) -> tuple[str, ...]:
    """The captures that some match may set, each once, in the order in which they are written."""
    match selector:
        case tree.Glob(pieces=pieces) | tree.Within(module=tree.Glob(pieces=pieces)):
            found = [name for piece in pieces for name in _possible(piece)]
        case tree.Regex(pattern=pattern):
            groups = re.compile(pattern).groupindex
            found = sorted(groups, key=groups.__getitem__)
        case tree.Or(operands=operands) | tree.And(operands=operands):
            found = [name for operand in operands for name in capture_order(operand)]
        case tree.Exact() | tree.ClassName() | tree.Within() | tree.Comparison():
            found = []
        case tree.Flag() | tree.Has() | tree.Not() | None:
            found = []
    return tuple(dict.fromkeys(found))


def _of_glob(glob: tree.Glob) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for piece in glob.pieces:
        if isinstance(piece, tree.Integer) and piece.capture:
            found |= {piece.capture}
        elif isinstance(piece, tree.Alternatives):
            found |= frozenset.intersection(*map(_of_glob, piece.options))
    return found


def _possible(piece: tree.Piece) -> tuple[str, ...]:
    if isinstance(piece, tree.Integer) and piece.capture:
        return (piece.capture,)
    if isinstance(piece, tree.Alternatives):
        return tuple(name for option in piece.options for name in capture_order(option))
    return ()
