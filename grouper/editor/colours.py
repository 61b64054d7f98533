"""Semantic tokens: the type of each word, with the protocol's standard names for themes."""

from __future__ import annotations

from grouper.editor.document import Document
from grouper.editor.names import What
from grouper.editor.positions import Lines
from grouper.editor.tokens import Kind, Token

TYPES = (
    "comment", "string", "regexp", "number", "keyword", "operator", "namespace", "class",
    "property", "enumMember", "variable", "parameter", "function", "type", "macro",
)  # fmt: skip
MODIFIERS = ("declaration", "defaultLibrary")
_OF_KIND = {
    Kind.COMMENT: "comment",
    Kind.STRING: "string",
    Kind.REGEX: "regexp",
    Kind.NUMBER: "number",
    Kind.CONSTANT: "keyword",
    Kind.KEYWORD: "keyword",
    Kind.OPERATOR: "operator",
    Kind.GLOB: "namespace",
    Kind.CLASS: "class",
    Kind.FACT: "property",
    Kind.MARK: "macro",
    Kind.LABEL: "type",
    Kind.KEY: "property",
    Kind.REFERENCE: "type",
    Kind.FUNCTION: "function",
    Kind.VARIABLE: "variable",
    Kind.OPTIMIZER: "class",
    Kind.ALIAS: "class",
    Kind.SCHEDULE: "function",
    Kind.SPLIT: "type",
    Kind.TAG: "property",
    Kind.CODE: "macro",
}
_OF_NAME = {
    What.VARIABLE: "variable",
    What.LABEL: "type",
    What.CAPTURE: "parameter",
    What.OPTIMIZER: "class",
    What.SPLIT: "type",
}
_DECLARED = (Kind.VARIABLE, Kind.LABEL, Kind.ALIAS, Kind.SPLIT)


def semantic_tokens(document: Document, encoding: str) -> tuple[int, ...]:
    """The tokens in the protocol's form: five numbers each, relative to the previous token."""
    lines = document.lines(encoding)
    variables = {n.text for n in document.names if n.what is What.VARIABLE and n.declares}
    variables |= {
        n.text for d in document.included for n in d.names if n.what is What.VARIABLE and n.declares
    }
    names_at = {n.span.start: n.what for n in document.names}
    data: list[int] = []
    last_line, last_start = 0, 0
    for token in document.tokens:
        name = _type(token, names_at, variables)
        if name is None:
            continue
        for line, start, length in _pieces(token, lines):
            shift = start - last_start if line == last_line else start
            modifiers = 1 if token.kind in _DECLARED else 0
            data += (line - last_line, shift, length, TYPES.index(name), modifiers)
            last_line, last_start = line, start
    return tuple(data)


def _type(token: Token, names_at: dict[int, What], variables: set[str]) -> str | None:
    if token.kind in (Kind.WORD, Kind.SCHEDULE):
        what = names_at.get(token.start)
        if what is What.VARIABLE:
            known = token.text in variables
            return "variable" if known else "function" if token.kind is Kind.SCHEDULE else None
        return _OF_NAME[what] if what is not None else None
    return _OF_KIND.get(token.kind)


def _pieces(token: Token, lines: Lines) -> list[tuple[int, int, int]]:
    """The token's lines, each with its start and length in units; most tokens have one line."""
    line, start = lines.position(token.start)
    end_line, end = lines.position(token.end)
    if line == end_line:
        return [(line, start, end - start)] if end > start else []
    return []  # a lone carriage return in a comment: no colour is better than a wrong one
