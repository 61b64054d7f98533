"""Finds the node of the syntax tree at an offset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from grouper.language.syntax import tree


def rules_of(file: tree.File) -> Iterator[tree.Rule]:
    """Every rule of a file, including those in splits."""
    for statement in file.statements:
        if isinstance(statement, tree.Rule):
            yield statement
        elif isinstance(statement, tree.Split):
            yield from statement.rules


def selector_at(file: tree.File, offset: int) -> tree.Selector | None:
    """The innermost selector at an offset."""
    for statement in (*file.statements, *rules_of(file)):
        if isinstance(statement, tree.Rule | tree.Allow):
            selector = _innermost(statement.selector, offset)
            if selector is not None:
                return selector
    return None


def _innermost(selector: tree.Selector | None, offset: int) -> tree.Selector | None:
    if selector is None or selector.span is None:
        return None
    if not selector.span.start <= offset <= selector.span.end:
        return None
    for operand in _operands(selector):
        inner = _innermost(operand, offset)
        if inner is not None:
            return inner
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
    """The option at an offset, and the statement that contains it."""
    for statement in (*file.statements, *rules_of(file)):
        for option in getattr(statement, "options", ()):
            if option.span is not None and option.span.start <= offset <= option.span.end:
                return statement, option
    return None
