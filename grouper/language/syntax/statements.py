"""Cuts a rules file into statements, so that one fault costs one statement and no more."""

from __future__ import annotations

import re
from functools import cached_property

from grouper.text.dataclass import dataclass
from grouper.text.source import Source, Span

# A line that begins so belongs to the statement above it.
OPTION_LINE = re.compile(r"[ \t]*(?:[^\W\d]\w*[ \t]*\*?=(?!=)|freeze(?![\w.*?\[{:]|-(?!>)))")
_COMMENT_LINE = re.compile(r"[ \t]*#[^\n]*\n")
_NAME_CHARACTER = r"[\w.*?:]|-(?!>)|\[[^\]\s]+\]|\{(?:[^{}\s]|\{(?:[^{}\s]|\{[^{}\s]*\})*\})*\}"
# Braces of a glob do not hold spaces: kept together, so that one finding can say so.
SPACED_LIST = r"\{(?:[^{}\n;=>#\"]|\{[^{}\n;=>#\"]*\})+\}"
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\f]+)"
    r"|(?P<newline>\n)"
    r"|(?P<comment>\#[^\n]*)"
    r'|(?P<string>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*")'
    r"|(?P<arrow>->)"
    rf"|(?P<word>@?(?:{_NAME_CHARACTER})+)"
    r"|(?P<regex>/(?:[^/\\\n]|\\[^\n])+/)"
    rf"|(?P<list>{SPACED_LIST})"
    r"|(?P<other>.)",
    re.DOTALL,
)
MAX_STATEMENTS = 5000
_MAX_DEPTH = 10  # splits never nest: deep enough to say so
_LOOK_AHEAD = 1000  # characters in which an open parenthesis must close to go over lines
_BEFORE_OPERAND = frozenset({"", "(", "and", "or", "not", "in", "else", "override", "optional"})
_STATEMENT = re.compile(
    r"(let|include|optimizer|warmup|schedule|split|strict|expect|allow)(?![\w.*?\[{:]|-(?!>))"
    r'|(for|base_model)[ \t]*"|tag[ \t]+[^\W\d]'
)


@dataclass(frozen=True)
class Statement:
    """The text of one statement; for a split, of its head."""

    span: Span


@dataclass(frozen=True)
class Block:
    """A split: its head, what is in its braces, and its whole; `closed` by a brace or not."""

    head: Span
    items: tuple[Item, ...]
    span: Span
    opening: Span
    closed: bool


@dataclass(frozen=True)
class Stray:
    """A closing brace that closes nothing."""

    span: Span


Item = Statement | Block | Stray


@dataclass(frozen=True)
class Cut:
    """A file's statements, and its comments, in order; `cut_off` is the rest of an endless one."""

    items: tuple[Item, ...]
    comments: tuple[Span, ...]
    cut_off: Span | None = None


def cut(source: Source) -> Cut:
    """Statements and comments of a file; every character but separators is in one of them."""
    cutter = _Cutter(source)
    items = cutter.items(inside=None)
    endless = cutter.count > MAX_STATEMENTS
    rest = Span(source, cutter.offset, len(source.text)) if endless else None
    return Cut(items, tuple(cutter.comments), rest)


class _Cutter:
    """One pass over the text. `last` is the text of the last token, which tells `/` apart."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.offset = 1 if source.text.startswith("\ufeff") else 0
        self.comments: list[Span] = []
        self.count = 0
        self.depth = 0

    def items(self, inside: Span | None) -> tuple[Item, ...]:
        items: list[Item] = []
        while True:
            span = self._statement()
            if span is not None:
                opens = self._at("{") and self.depth < _MAX_DEPTH
                items.append(self._block(span) if opens else Statement(span))
                self.count += 1
            if self.offset >= len(self.text) or self.count > MAX_STATEMENTS:
                return tuple(items)
            if self._at("}"):
                if inside is not None:
                    return tuple(items)
                items.append(Stray(Span(self.source, self.offset, self.offset + 1)))
            if inside is not None and self._unclosed_here():
                return tuple(items)
            self.offset += not self._at("{")

    def _block(self, head: Span) -> Block:
        opening = Span(self.source, self.offset, self.offset + 1)
        self.offset += 1
        self.depth += 1
        items = self.items(inside=opening)
        self.depth -= 1
        closed = self._at("}")
        end = self.offset + 1 if closed else max([i.span.end for i in items] + [opening.end])
        self.offset += closed
        return Block(head, items, Span(self.source, head.start, end), opening, closed)

    def _statement(self) -> Span | None:
        """The next statement; stops at its newline, `;`, or at a brace of a split."""
        start, end, depth, last = -1, -1, 0, ""
        split = regexes = True
        while self.offset < len(self.text):
            found = _TOKEN.match(self.text, self.offset)
            assert found is not None
            kind, token = found.lastgroup, found.group()
            if kind == "regex" and not (regexes and self._operand(last)):
                kind, token = "other", "/"
            if kind == "newline" and start >= 0 and not self._goes_on(depth, found.end()):
                break
            if (token == ";" and kind == "other") or (kind == "other" and token == "}"):
                break
            bare = token[0] == "{" and kind != "word"
            if bare and start >= 0 and (split or self._opens(found.start())):
                break
            if kind == "comment":
                self.comments.append(Span(self.source, found.start(), found.end()))
            elif kind not in ("space", "newline"):
                if start < 0:
                    start = found.start()
                    split = token == "split"
                    regexes = token not in ("let", "expect", "optimizer", "warmup", "schedule")
                end = found.start() + len(token)
                regexes = regexes and kind != "arrow"
                depth += {"(": 1, ")": -1}.get(token, 0)
                last = token
            self.offset = found.start() + len(token)
        return Span(self.source, start, end) if start >= 0 else None

    def _goes_on(self, depth: int, line: int) -> bool:
        if depth > 0 and self._closes(depth, line):
            return True
        while (comment := _COMMENT_LINE.match(self.text, line)) is not None:
            line = comment.end()
        return OPTION_LINE.match(self.text, line) is not None

    def _closes(self, depth: int, offset: int) -> bool:
        """Whether the open parentheses are closed before another statement could begin."""
        limit = min(len(self.text), offset + _LOOK_AHEAD)
        if self.text.find(")", offset, limit) < 0:
            return False
        while depth > 0 and offset < limit:
            found = _TOKEN.match(self.text, offset)
            assert found is not None
            token = found.group()
            if found.lastgroup == "arrow" or token in (";", "}"):
                return False
            if found.lastgroup == "newline" and _STATEMENT.match(self.text, found.end()):
                return False
            depth += {"(": 1, ")": -1}.get(token, 0)
            offset = found.end()
        return depth == 0

    def _opens(self, offset: int) -> bool:
        """Whether a brace stands alone, as no brace of a glob does: it is meant to open a block."""
        return self.text[offset - 1 : offset + 2].strip(" \t\r\n") == "{"

    def _operand(self, last: str) -> bool:
        return last in _BEFORE_OPERAND or re.fullmatch(r"GR\d+|[a-z]+(-[a-z]+)+", last) is not None

    def _at(self, character: str) -> bool:
        return self.text.startswith(character, self.offset)

    def _unclosed_here(self) -> bool:
        """Whether a top-level statement begins on this line: the block was never closed."""
        if not self._at("\n") or not _STATEMENT.match(self.text, self.offset + 1):
            return False
        closing = _next(self._closing_lines, self.offset)
        return closing is None or (_next(self._split_lines, self.offset) or closing) < closing

    @cached_property
    def _closing_lines(self) -> list[int]:
        return [found.start() for found in re.finditer(r"^[ \t]*\}", self.text, re.MULTILINE)]

    @cached_property
    def _split_lines(self) -> list[int]:
        return [found.start() for found in re.finditer(r"^[ \t]*split\b", self.text, re.MULTILINE)]


def _next(offsets: list[int], offset: int) -> int | None:
    from bisect import bisect_left

    found = bisect_left(offsets, offset)
    return offsets[found] if found < len(offsets) else None
