"""Lark's parser for the grammar, from the parse table where a fresh one is at hand."""

from __future__ import annotations

import marshal
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from grouper.language import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from lark import Lark

    from grouper.language.syntax.table_parser import TableParser

STARTS = ("statement", "rule", "_selector", "expression", "pattern")


@cache
def parser() -> TableParser | Lark:
    """The LALR parser; reading the table takes a tenth of the time of building it."""
    grammar = shipped.grammar_path().read_text("utf-8")
    return _from_table(grammar, shipped.table_path()) or build(grammar)


def build(grammar: str, strict: bool = False) -> Lark:
    """The parser from the grammar's text. `strict` (needs interegular) refuses every collision."""
    from lark import Lark

    return Lark(
        grammar,
        parser="lalr",
        start=list(STARTS),
        propagate_positions=True,
        maybe_placeholders=True,
        strict=strict,
    )


def _from_table(grammar: str, path: Path) -> TableParser | None:
    """The table is the package's own file; one of another lark or grammar is passed over."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    begins = fitting(grammar)
    if not content.startswith(begins):
        return None
    try:
        from grouper.language.syntax.table_parser import TableParser

        return TableParser(marshal.loads(content[len(begins) :]))
    except (ImportError, EOFError, KeyError, AttributeError, TypeError, ValueError):
        return None


def fitting(grammar: str) -> bytes:
    """What a table begins with: it fits this grammar and this version of Lark only, which is in
    the file that Lark's package begins with."""
    found = find_spec("lark")
    assert found is not None
    assert found.origin is not None
    with open(found.origin, "rb") as file:
        return file.read() + b"\0" + grammar.encode() + b"\0"
