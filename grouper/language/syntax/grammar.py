"""Lark's parser for the grammar, from the parse table where a fresh one is at hand."""

from __future__ import annotations

import hashlib
import io
import pickle
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grouper.language import shipped

if TYPE_CHECKING:
    from lark import Lark

STARTS = ("statement", "rule", "_selector", "expression", "pattern")


@cache
def parser() -> Lark:
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


def _from_table(grammar: str, path: Path) -> Lark | None:
    """The table is the package's own file; one of another lark or grammar is passed over."""
    from lark import Lark

    try:
        content = path.read_bytes()
    except OSError:
        return None
    begins = fingerprint(grammar)
    if not content.startswith(begins):
        return None
    try:
        return Lark.load(io.BytesIO(content[len(begins) :]))
    except (pickle.UnpicklingError, EOFError, KeyError, AttributeError):
        return None


def fingerprint(grammar: str) -> bytes:
    """What a table begins with: it fits this grammar and this version of Lark only."""
    from lark import __version__

    return hashlib.sha256(f"{__version__}\n{grammar}".encode()).digest()
