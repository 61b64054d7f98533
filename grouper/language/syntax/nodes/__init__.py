"""From lark's trees to the syntax tree: a function for each rule of the grammar, called like it."""

from __future__ import annotations

from grouper.language.syntax.nodes import expressions, rules, selectors, statements
from grouper.language.syntax.nodes.builder import Builder
from grouper.text.source import Source

_FUNCTIONS = statements.FUNCTIONS | rules.FUNCTIONS | selectors.FUNCTIONS | expressions.FUNCTIONS


def builder(source: Source, offset: int = 0) -> Builder:
    """A builder of the nodes of one source, in which lark's places count from an offset."""
    return Builder(source, _FUNCTIONS, offset)
