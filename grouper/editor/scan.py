"""Splits a rules file into tokens, also if it is broken, for highlighting and for finding names
while it is being typed."""

from __future__ import annotations

from collections.abc import Iterator

from grouper.editor.scan_statement import scan_statement
from grouper.editor.tokens import Kind, Token
from grouper.language.syntax.statements import Block, Cut, Item, Statement
from grouper.text.dataclass import dataclass
from grouper.text.source import Span


@dataclass(frozen=True)
class Scanned:
    """A statement: its first word (`rule` for rules), its text and its tokens.

    For a split, these are those of its head; `block` is the whole split, and `inside` its rules.
    """

    word: str
    span: Span
    tokens: tuple[Token, ...]
    block: Block | None = None
    inside: tuple[Scanned, ...] = ()


def scan(pieces: Cut) -> tuple[Scanned, ...]:
    """The statements of a file in order, with all their tokens. Never fails."""
    return tuple(s for item in pieces.items for s in _scanned(item))


def all_tokens(pieces: Cut, statements: tuple[Scanned, ...]) -> list[Token]:
    """The tokens of a file in order: those of its statements, and comments and braces between
    them."""
    tokens = [token for statement in statements for token in _within(statement)]
    inside = {token.start for token in tokens}
    comments = (span for span in pieces.comments if span.start not in inside)
    tokens += [Token(Kind.COMMENT, span.text, span.start) for span in comments]
    return sorted(tokens, key=lambda token: token.start)


def _within(statement: Scanned) -> Iterator[Token]:
    yield from statement.tokens
    if statement.block is not None:
        yield Token(Kind.PUNCTUATION, "{", statement.block.opening.start)
        for rule in statement.inside:
            yield from _within(rule)
        if statement.block.closed:
            yield Token(Kind.PUNCTUATION, "}", statement.block.span.end - 1)


def _scanned(item: Item) -> Iterator[Scanned]:
    if isinstance(item, Block):
        inside = tuple(scanned for one in item.items for scanned in _scanned(one))
        word, tokens = scan_statement(item.head)
        yield Scanned(word, item.head, tokens, item, inside)
    elif isinstance(item, Statement):
        yield scan_one(item.span)


def scan_one(span: Span) -> Scanned:
    """A statement, or the head of a split."""
    word, tokens = scan_statement(span)
    return Scanned(word, span, tokens)
