"""The node of the tree at a place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from grouper.language.syntax import tree


def rules_of(file: tree.File) -> Iterator[tree.Rule]:
    """Every rule of a file, those of splits included."""
    for statement in file.statements:
        if isinstance(statement, tree.Rule):
            yield statement
        elif isinstance(statement, tree.Split):
            yield from statement.rules


def selector_at(file: tree.File, offset: int) -> tree.Selector | None:
    """The smallest selector around an offset."""
    for statement in (*file.statements, *rules_of(file)):
        if isinstance(statement, tree.Rule | tree.Allow):
            found = _innermost(statement.selector, offset)
            if found is not None:
                return found
    return None


def _innermost(selector: tree.Selector | None, offset: int) -> tree.Selector | None:
    if selector is None or selector.span is None:
        return None
    if not selector.span.start <= offset <= selector.span.end:
        return None
    for operand in _operands(selector):
        found = _innermost(operand, offset)
        if found is not None:
            return found
    return selector


def _operands(selector: tree.Selector) -> tuple[tree.Selector, ...]:
    match selector:
        case tree.Not(operand=operand):
            return (operand,)
        case tree.And(operands=operands) | tree.Or(operands=operands):
            return operands
        case tree.Glob() | tree.Regex() | tree.Exact() | tree.ClassName() | tree.Within():
            return ()
        case tree.Comparison() | tree.Flag() | tree.Has():
            return ()
        case _:
            assert_never(selector)


def option_at(file: tree.File, offset: int) -> tuple[tree.Statement, tree.Option] | None:
    """The option around an offset, and the statement in which it stands."""
    for statement in (*file.statements, *rules_of(file)):
        for option in getattr(statement, "options", ()):
            if option.span is not None and option.span.start <= offset <= option.span.end:
                return statement, option
    return None
