"""Builds the nodes of one source from lark's trees."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lark.lexer import Token

from grouper.language.syntax import codes
from grouper.language.syntax.errors import refuse
from grouper.text.source import Source, Span

MAX_DEPTH = 100


class Builder:
    """The source, and for each rule of the grammar the function that makes its node.

    `offset` is where in the source lark's places begin to count.
    """

    def __init__(
        self,
        source: Source,
        functions: Mapping[str, Callable[[Builder, Any], Any]],
        offset: int = 0,
    ) -> None:
        self.source = source
        self._offset = offset
        self._functions = functions
        self._depth = 0

    def node(self, found: Any) -> Any:
        """The node of a tree of lark's; refuses what is nested too deep."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            refuse(
                codes.LIMIT,
                f"this is nested more than {MAX_DEPTH} levels deep",
                self.span(found),
                "give parts of it names with `let`, or write several rules",
            )
        made = self._functions[found.data.rstrip("_")](self, found)
        self._depth -= 1
        return made

    def span(self, found: Any) -> Span:
        """Where a tree or a token of lark's is."""
        if isinstance(found, Token):
            assert found.start_pos is not None
            assert found.end_pos is not None
            return self._between(found.start_pos, found.end_pos)
        return self._between(found.meta.start_pos, found.meta.end_pos)

    def _between(self, start: int, end: int) -> Span:
        return Span(self.source, self._offset + start, self._offset + end)


def unquoted(token: str) -> str:
    """The text of a string literal."""
    return re.sub(r"\\(.)", r"\1", token[1:-1])
