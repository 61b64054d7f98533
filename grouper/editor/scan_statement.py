"""Splits one statement into tokens, whether it is valid or not."""

from __future__ import annotations

import re

from grouper.editor.tokens import Kind, Token
from grouper.language.syntax.keywords import KEYWORDS, STATEMENTS
from grouper.text.source import Span

_END = r"(?![\w.*?\[{:]|-(?!>))"
_NAME = r"[^\W\d]\w*"
_STATEMENT = re.compile(
    rf"(?:(?P<word>{'|'.join(w for w in STATEMENTS if w not in ('else', 'override'))}){_END}"
    r'|(?P<file>for|base_model)(?=[ \t]*"|\s*$)'
    rf"|(?P<tag>tag)(?=[ \t]+(?!and\b|or\b){_NAME}[^->]*$))"
)
_BRACES = r"\{(?:[^{}\s]|\{(?:[^{}\s]|\{[^{}\s]*\})*\})*\}"
_GLOB = rf"(?:[\w.*?:]|-(?!>)|\[[^\]\s]+\]|{_BRACES})+"
_SHARED = (
    r"(?P<space>\s+)|(?P<comment>\#[^\n]*)"
    r'|(?P<string>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?)'
    r"|(?P<arrow>->)"
)
_OPERATOR = r"(?P<operator>\*\*|//|\*?=(?!=)|[=!<>]=|[-+*/%<>])"
_SELECTOR = re.compile(
    rf"{_SHARED}|(?P<fact>(?:ndim|numel|dtype|fan_in|fan_out)(?=\s*(?:[=!<>]=|[<>]))"
    r"|shape(?=\s*\[[^\]\n]*\]\s*(?:[=!<>]=|[<>])))"
    r"|(?P<regex>/(?:[^/\\\n]|\\[^\n])+/)"
    rf"|(?P<class>@(?:[\w.*?]|\[[^\]\s]+\]|{_BRACES})*)|(?P<glob>{_GLOB})"
    rf"|{_OPERATOR}|(?P<punctuation>[()\[\],])|(?P<error>.)",
    re.DOTALL,
)
_LABEL = re.compile(
    rf"(?:[^\W\d]|\{{{_NAME}\}})(?:[\w.-]|\{{{_NAME}\}})*(?<![.-])(?!\w*\s*\*?=(?!=))|"
    r'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?'
)
_EXPRESSION = re.compile(
    rf"{_SHARED}|(?P<key>{_NAME}(?=\s*\*?=(?!=)))"
    r"|(?P<number>(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?!\w))|(?P<dots>\.\.)"
    rf"|(?P<reference>{_NAME}\.{_NAME})|(?P<function>{_NAME}(?=\())|(?P<word>{_NAME})"
    rf"|{_OPERATOR}|(?P<punctuation>[()\[\],.])|(?P<error>[^\s\w]|\w+)",
    re.DOTALL,
)
_TARGET = re.compile(rf"{_NAME}(?:\.{_NAME})*(?::(?:{_NAME})?)?(?!\s*\*?=(?!=))")
_CODE = re.compile(r"[A-Za-z][\w-]*")
_PLAIN = re.compile(_NAME)
_NO_KEY = re.compile(rf"{_NAME}(?!\w*\s*\*?=(?!=))")
_AS = re.compile(r"as\b")
_HAS = re.compile(rf"has[ \t]+(?!(?:and|or|where)\b){_NAME}")
_BETWEEN = re.compile(r"\s+|(#[^\n]*)")
_CONSTANTS = ("true", "false", "none")
_IN_VALUES = KEYWORDS - frozenset(STATEMENTS)
_IN_CLAIMS = _IN_VALUES | {"after", "warmup"}
_OF_SELECTORS = frozenset({"and", "or", "not", "in", "else", "override", "trainable", "tied"})


def scan_statement(span: Span) -> tuple[str, tuple[Token, ...]]:
    """The first word of a statement, or `rule`, and its tokens."""
    scanner = _Scanner(span.source.text, span.start, span.end)
    word = scanner.statement()
    return word, tuple(scanner.tokens)


class _Scanner:
    """Reads one statement from left to right."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.at, self.end = text, start, end
        self.tokens: list[Token] = []

    def statement(self) -> str:
        hit = _STATEMENT.match(self.text, self.at, self.end)
        if hit is None:
            self._rule()
            return "rule"
        word = hit.group()
        self._take(Kind.KEYWORD, word)
        match word:
            case "let":
                self._names(Kind.VARIABLE)
            case "split":
                self._names(Kind.SPLIT)
            case "optimizer":
                self._optimizer()
            case "schedule":
                self._names(Kind.SCHEDULE, Kind.SCHEDULE)
            case "tag":
                self._tags()
            case "allow":
                self._space()
                self._match(Kind.CODE, _CODE)
                self._rule()
            case _:
                pass  # options, a claim, a string, or nothing
        self._expression(claim=word == "expect")
        return word

    def _rule(self) -> None:
        """A selector and its condition; after an arrow, a label and options."""
        while self.at < self.end:
            hit = self._next(_SELECTOR)
            kind, token = hit.lastgroup, hit.group()
            if kind == "arrow":
                self._take(Kind.OPERATOR, token)
                self._label()
                self._expression()
            elif kind == "glob":
                self._word(token)
            elif kind == "fact":
                self._take(Kind.FACT, token)
                self._expression(until=_OF_SELECTORS)
            elif kind == "regex" and not self._operand():
                self._take(Kind.OPERATOR, "/")
            else:
                self._take_as(kind, token)

    def _operand(self) -> bool:
        """Whether a selector, such as a regex, can start here."""
        last = next((t for t in reversed(self.tokens) if t.kind is not Kind.COMMENT), None)
        return last is None or last.kind in (Kind.KEYWORD, Kind.CODE) or last.text == "("

    def _word(self, token: str) -> None:
        first = not self.tokens
        if token == "where":
            self._take(Kind.KEYWORD, token)
            self._expression(condition=True)
        elif token == "has" and _HAS.match(self.text, self.at, self.end):
            self._take(Kind.KEYWORD, token)
            self._names(Kind.MARK)
        elif token in _OF_SELECTORS or (token == "optional" and first and self._goes_on(token)):
            self._take(Kind.KEYWORD, token)
        else:
            self._take(Kind.GLOB, token)

    def _goes_on(self, word: str) -> bool:
        rest = self.text[self.at + len(word) : self.end].lstrip()
        return bool(rest) and not re.match(r"->|(and|or|where)\b", rest)

    def _label(self) -> None:
        self._space()
        hit = _LABEL.match(self.text, self.at, self.end)
        if hit is not None and hit.group() != "freeze":
            self._take(Kind.STRING if hit.group()[0] == '"' else Kind.LABEL, hit.group())

    def _optimizer(self) -> None:
        self._space()
        self._match(Kind.OPTIMIZER, _TARGET)
        self._space()
        if _AS.match(self.text, self.at, self.end):
            self._take(Kind.KEYWORD, "as")
            self._names(Kind.ALIAS)

    def _names(self, *kinds: Kind) -> None:
        for kind in kinds:
            self._space()
            self._match(kind, _NO_KEY if len(kinds) > 1 else _PLAIN)

    def _tags(self) -> None:
        while self.at < self.end:
            hit = self._next(_EXPRESSION)
            named = hit.lastgroup in ("word", "key")
            self._take_as("tag" if named else hit.lastgroup, hit.group())

    def _expression(
        self, until: frozenset[str] = frozenset(), condition: bool = False, claim: bool = False
    ) -> None:
        """Values and options up to the end, a word in `until`, or the arrow."""
        depth = 0
        while self.at < self.end:
            hit = self._next(_EXPRESSION)
            kind, token = hit.lastgroup, hit.group()
            if kind == "arrow" and (until or condition):
                return
            if until and (token in until or (token == ")" and depth == 0) or token == "where"):
                return
            depth += {"(": 1, ")": -1}.get(token, 0)
            if kind == "word" and token in _CONSTANTS:
                self._take(Kind.CONSTANT, token)
            elif kind == "word" and token in (_IN_CLAIMS if claim else _IN_VALUES):
                self._take(Kind.KEYWORD, token)
            else:
                self._take_as(kind, token)

    def _space(self) -> None:
        while self.at < self.end:
            hit = _BETWEEN.match(self.text, self.at, self.end)
            if hit is None:
                return
            self._take_as("comment" if hit[1] else "space", hit.group())

    def _match(self, kind: Kind, pattern: re.Pattern[str]) -> None:
        hit = pattern.match(self.text, self.at, self.end)
        if hit is not None:
            self._take(kind, hit.group())

    def _next(self, pattern: re.Pattern[str]) -> re.Match[str]:
        hit = pattern.match(self.text, self.at, self.end)
        assert hit is not None  # the last alternative is any character
        return hit

    def _take_as(self, group: str | None, token: str) -> None:
        match group:
            case "space":
                self.at += len(token)
            case "arrow" | "dots":
                self._take(Kind.OPERATOR, token)
            case _:
                self._take(Kind(group), token)

    def _take(self, kind: Kind, token: str) -> None:
        self.tokens.append(Token(kind, token, self.at))
        self.at += len(token)
