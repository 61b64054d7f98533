"""What could be at a place: the terminals of the grammar that the statement before it allows."""

from __future__ import annotations

from grouper.language.syntax.grammar import parser


def accepted(before: str, start: str = "statement") -> frozenset[str]:
    """The terminals that may follow the beginning of a statement; none where it cannot be read."""
    from lark.exceptions import UnexpectedInput

    interactive = parser().parse_interactive(before, start=start)
    try:
        interactive.exhaust_lexer()
        return frozenset(interactive.accepts())
    except UnexpectedInput:
        return frozenset()
