"""Completion: the candidates at a position."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grouper.checks.catalog import ALL
from grouper.editor import complete_files, complete_model, complete_values, words
from grouper.editor.candidate import Candidate, Sort
from grouper.editor.document import Document
from grouper.editor.expected import accepted
from grouper.editor.names import What
from grouper.editor.navigate import declared
from grouper.editor.scan import Scanned
from grouper.editor.scan_statement import scan_statement
from grouper.editor.tokens import Kind, Token
from grouper.language.syntax.keywords import KEYWORDS
from grouper.text.dataclass import dataclass
from grouper.text.source import Source, Span

_PART = re.compile(r"@?(?:[\w.*?:]|-(?!>)|\[[^\]\s]*\]?|\{[^{}\s]*(?:\{[^{}\s]*\}?)*[^{}\s]*\}?)*$")
_PLAIN = re.compile(r"[\w-]*")
_WORD = re.compile(r"[\w-]*$")
_KEYWORD_TERMINALS = {
    "_IN": "in", "_NOT": "not", "_AND": "and", "_OR": "or", "_WHERE": "where",
    "ELSE": "else", "OVERRIDE": "override", "_AS": "as",
    "_AFTER": "after", "FREEZE": "freeze",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """The position of a completion: the statement before it, and the part of a word."""

    document: Document
    before: str  # the statement's text before the part
    part: str
    start: int  # of the part
    statement: Scanned | None
    tokens: tuple[Token, ...]

    @property
    def span(self) -> Span:
        return Span(self.document.source, self.start, self.start + len(self.part))

    @property
    def in_split(self) -> bool:
        blocks = (s for s in self.document.statements if s.block is not None)
        return any(b.span.end < self.start <= b.block.span.end for b in blocks if b.block)


def complete(document: Document, offset: int) -> tuple[Candidate, ...]:
    """The candidates at an offset, each with the text that it replaces."""
    line_start = document.text.rfind("\n", 0, offset) + 1
    if _in_comment(document, offset):
        return ()
    opening = _open_string(document.text[line_start:offset])
    if opening is not None:
        return tuple(_in_string(document, line_start + opening, offset))
    place = _place(document, offset)
    candidates = list(_candidates(place))
    return tuple({(c.text, c.kind): c for c in reversed(candidates)}.values())[::-1]


def _in_comment(document: Document, offset: int) -> bool:
    comments = (t for t in document.tokens if t.kind is Kind.COMMENT)
    return any(t.start < offset <= t.end for t in comments)


def _open_string(line: str) -> int | None:
    """The start of a string that is not closed before the end of the line, or None."""
    inside, at = False, 0
    for match in re.finditer(r'\\.|"', line):
        if match.group() == '"':
            inside, at = not inside, match.end()
    return at if inside else None


def _place(document: Document, offset: int) -> Place:
    statement = document.statement_at(offset)
    start = statement.span.start if statement is not None else _line_start(document.text, offset)
    head = document.text[start:offset]
    selector = "->" not in head and not re.match(
        r"\s*(let|optimizer|warmup|schedule|split|expect|allow\s+\S*$)\b", head
    )
    match = (_PART if selector and " where " not in head else _WORD).search(head)
    part = match.group() if match is not None else ""
    before = head[: len(head) - len(part)]
    _, tokens = scan_statement(Span(Source(before), 0, len(before)))
    return Place(document, before, part, offset - len(part), statement, tokens)


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind(separator, 0, offset) for separator in "\n;{") + 1


def _in_string(document: Document, start: int, offset: int) -> Iterator[Candidate]:
    statement = document.statement_at(start)
    word = re.search(r"(include|for|base_model)[ \t]*\"$", document.text[:start])
    span = Span(document.source, start, offset)
    if word is not None:
        yield from complete_files.files(document, word[1], span)
    elif statement is not None and statement.word == "expect":
        for name in declared(document, What.LABEL):
            yield Candidate(name.text, Sort.LABEL, span, "label")
    elif "->" not in document.text[document.text.rfind("\n", 0, start) + 1 : start]:
        yield from complete_model.exact_names(document, span)


def _candidates(place: Place) -> Iterator[Candidate]:
    allowed = accepted(place.before)
    if allowed & {"GLOB", "CLASS"}:
        yield from complete_model.names(place.document, place.part, place.span, _inside(place))
    if not _PLAIN.fullmatch(place.part):
        return  # a glob or a class is being written
    if not place.before.strip():
        yield from _statement_words(place)
    elif "GLOB" in allowed:
        yield from _selector_words(place)
    for terminal, word in _KEYWORD_TERMINALS.items():
        if terminal in allowed and _may_be(word, place):
            yield _keyword(place, word)
    if "_ARROW" in allowed and place.before.strip():
        yield Candidate("->", Sort.KEYWORD, place.span, "the rule's label and options follow")
    yield from _of_rules(place, allowed)
    yield from complete_values.values(
        place.document, place.tokens, allowed, place.part, place.span, place.statement
    )


def _inside(place: Place) -> bool:
    """Whether a module is expected, not a parameter."""
    return bool(place.tokens) and place.tokens[-1].text == "in"


def _may_be(word: str, place: Place) -> bool:
    """Whether a word that the grammar accepts is allowed here."""
    if word == "freeze":
        return any(token.text == "->" for token in place.tokens)
    return word != "override" or not place.in_split


def _statement_words(place: Place) -> Iterator[Candidate]:
    if not place.in_split:
        for word, meaning in words.STATEMENTS.items():
            yield Candidate(word, Sort.KEYWORD, place.span, "statement", meaning)
    yield _keyword(place, "optional")
    yield from _selector_words(place)


def _selector_words(place: Place) -> Iterator[Candidate]:
    if _inside(place):
        return
    for word in ("trainable", "tied", "has"):
        yield _keyword(place, word)
    for fact, meaning in words.FACTS.items():
        yield Candidate(fact, Sort.FACT, place.span, "fact", meaning)


def _keyword(place: Place, word: str) -> Candidate:
    return Candidate(word, Sort.KEYWORD, place.span, "keyword", words.KEYWORDS.get(word, ""))


def _of_rules(place: Place, allowed: frozenset[str]) -> Iterator[Candidate]:
    if "LABEL" in allowed:
        for name in declared(place.document, What.LABEL):
            if name.text not in KEYWORDS and not re.search(r"\s", name.text):
                yield Candidate(name.text, Sort.LABEL, place.span, "label")
    if "CODE" in allowed:
        for code in ALL:
            yield Candidate(code.id, Sort.CODE, place.span, code.name, code.page)
            yield Candidate(code.name, Sort.CODE, place.span, code.id, code.page)
    if place.tokens and place.tokens[-1].text == "has":
        yield from complete_model.marks(place.document, place.span)
