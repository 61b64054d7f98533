"""The outline of a file: its statements, and the rules in splits.

It is built from tokens, so that it also contains a statement that is still being typed.
"""

from __future__ import annotations

from enum import Enum

from grouper.editor.document import Document
from grouper.editor.scan import Scanned
from grouper.editor.tokens import Kind, Token
from grouper.text.dataclass import dataclass
from grouper.text.printable import visible
from grouper.text.source import Span

LONGEST = 60


class Sort(Enum):
    """The kind of a symbol."""

    RULE = "rule"
    SPLIT = "split"
    VARIABLE = "variable"
    FILE = "file"
    OPTIMIZER = "optimizer"
    SETTING = "setting"
    CLAIM = "claim"


@dataclass(frozen=True)
class Symbol:
    """A line of the outline. `selection` is the part of `span` to select, usually the name."""

    name: str
    kind: Sort
    span: Span
    selection: Span
    detail: str = ""
    children: tuple[Symbol, ...] = ()


_SORTS = {
    "let": (Sort.VARIABLE, Kind.VARIABLE),
    "include": (Sort.FILE, Kind.STRING),
    "for": (Sort.FILE, Kind.STRING),
    "base_model": (Sort.FILE, Kind.STRING),
    "optimizer": (Sort.OPTIMIZER, Kind.OPTIMIZER),
    "warmup": (Sort.SETTING, None),
    "schedule": (Sort.SETTING, Kind.SCHEDULE),
    "split": (Sort.SPLIT, Kind.SPLIT),
    "strict": (Sort.SETTING, None),
    "tag": (Sort.SETTING, Kind.TAG),
    "expect": (Sort.CLAIM, None),
    "allow": (Sort.CLAIM, Kind.CODE),
}


def symbols(document: Document) -> tuple[Symbol, ...]:
    """The outline, in the file's order."""
    return tuple(_symbol(document, statement) for statement in document.statements)


def _symbol(document: Document, statement: Scanned) -> Symbol:
    source = document.source
    whole = statement.block.span if statement.block is not None else statement.span
    if statement.word == "rule":
        return _rule(document, statement, whole)
    kind, named = _SORTS[statement.word]
    token = next((t for t in statement.tokens if t.kind is named), None)
    selection = Span(source, token.start, token.end) if token is not None else statement.span
    name = token.text.strip('"') if token is not None else _short(statement.span.text)
    if kind is Sort.SETTING and token is not None:
        name = f"{statement.word} {name}"
    children = tuple(_symbol(document, rule) for rule in statement.inside)
    detail = statement.word if kind is Sort.FILE else _rest(statement, token)
    return Symbol(name.strip() or statement.word, kind, whole, selection, detail, children)


def _rule(document: Document, statement: Scanned, whole: Span) -> Symbol:
    text = statement.span.text
    label = next((t for t in statement.tokens if t.kind is Kind.LABEL), None)
    arrow = next((t for t in statement.tokens if t.text == "->"), None)
    if label is None and arrow is not None:
        after = [t for t in statement.tokens if t.start > arrow.start]
        label = after[0] if after and after[0].kind is Kind.STRING else None
    selector = text[: arrow.start - statement.span.start] if arrow is not None else text
    selection = (
        Span(document.source, label.start, label.end) if label is not None else statement.span
    )
    name = label.text.strip('"').strip() if label is not None else ""
    named = name or _short(selector) or visible(text)
    return Symbol(named, Sort.RULE, whole, selection, _short(selector))


def _rest(statement: Scanned, token: Token | None) -> str:
    end = token.end if token is not None else statement.span.start
    return _short(statement.span.source.text[end : statement.span.end]) if token else ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
