"""The terminals of the grammar that can follow the start of a statement."""

from __future__ import annotations

from grouper.language.syntax.grammar import parser


def accepted(before: str, start: str = "statement") -> frozenset[str]:
    """The terminals that can follow the start of a statement; none if it cannot be parsed."""
    from lark.exceptions import UnexpectedInput

    interactive = parser().parse_interactive(before, start=start)
    try:
        interactive.exhaust_lexer()
        return frozenset(interactive.accepts())
    except UnexpectedInput:
        return frozenset()
