"""Folding ranges: splits, statements over several lines, and runs of comments."""

from __future__ import annotations

from collections.abc import Iterator

from grouper.editor.document import Document
from grouper.editor.positions import Lines
from grouper.editor.scan import Scanned
from grouper.editor.tokens import Kind
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Fold:
    """A range of lines, counted from 0, including both ends."""

    first: int
    last: int
    comment: bool = False


def folds(document: Document) -> tuple[Fold, ...]:
    """The folding ranges of a file, in order."""
    lines = document.lines("utf-32")
    ranges = [*_statements(document.statements, lines), *_comments(document, lines)]
    return tuple(sorted((f for f in ranges if f.last > f.first), key=lambda f: (f.first, f.last)))


def _statements(statements: tuple[Scanned, ...], lines: Lines) -> Iterator[Fold]:
    for statement in statements:
        span = statement.block.span if statement.block is not None else statement.span
        first, last = lines.position(span.start)[0], lines.position(span.end)[0]
        closed = statement.block is not None and statement.block.closed
        yield Fold(first, last - 1 if closed else last)
        yield from _statements(statement.inside, lines)


def _comments(document: Document, lines: Lines) -> Iterator[Fold]:
    rows = [
        lines.position(token.start)[0]
        for token in document.tokens
        if token.kind is Kind.COMMENT and _alone(document.text, token.start)
    ]
    start = previous = -2
    for row in [*rows, -2]:
        if row != previous + 1:
            if previous > start:
                yield Fold(start, previous, comment=True)
            start = row
        previous = row


def _alone(text: str, start: int) -> bool:
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()
