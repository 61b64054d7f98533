"""The position at which a statement does not parse, and what could stand there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.lexer import Token

from grouper.text.findings import Code, Edit, Finding, Label
from grouper.text.source import Span

_WORDS = {
    "GLOB": "a selector",
    "REGEX": "a selector",
    "CLASS": "a selector",
    "_IN": "a selector",
    "_NOT": "a selector",
    "FACT": "a selector",
    "SHAPE": "a selector",
    "PROPERTY": "a selector",
    "ELSE": "`else`",
    "OVERRIDE": "`override`",
    "_AND": "`and`",
    "_OR": "`or`",
    "_AS": "`as`",
    "_ARROW": "`->`",
    "_DOTS": "`..`",
    "LABEL": "a label",
    "KEY": "an option",
    "FREEZE": "an option",
    "NUMBER": "a value",
    "CONSTANT": "a value",
    "REFERENCE": "a value",
    "NAME": "a name",
    "TARGET": "an optimizer",
    "CODE": "a code such as `GR101`",
    "STRING": "a string",
    "COMPARE": "a comparison",
    "EQUAL": "`=`",
    "TIMES_EQUAL": "`*=`",
    "ADD": "an operator",
    "MULTIPLY": "an operator",
    "POWER": "an operator",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "DOT": "`.`",
    "$END": "the end of the statement",
}


class Unparsed:
    """A statement, and the first place that does not fit: `rest` is the text from there on."""

    def __init__(self, error: UnexpectedInput, span: Span, opening: Span | None) -> None:
        self.span = span
        self.text = span.text
        self.opening = opening
        token = getattr(error, "token", None)
        self.at_end = isinstance(token, Token) and token.type == "$END"
        position = span.end if self.at_end else error.pos_in_stream
        self.at = (span.end if position is None or position < 0 else position) - span.start
        self.before = self.text[: self.at]
        self.rest = self.text[self.at :]
        self.found = _word_at(self.rest)
        self.expected = _expected(error)

    def place(self, length: int | None = None, start: int | None = None) -> Span:
        """The span at the fault; at the end of a statement, its last character."""
        begin = self.span.start + (self.at if start is None else start)
        if begin >= self.span.end:
            return Span(self.span.source, max(self.span.start, self.span.end - 1), self.span.end)
        end = begin + (len(self.found) or 1 if length is None else length)
        return Span(self.span.source, begin, min(max(end, begin + 1), self.span.end))

    def finding(
        self,
        code: Code,
        message: str,
        help: str,
        span: Span | None = None,
        edit: str | None = None,
    ) -> Finding:
        place = span or self.place()
        edits = () if edit is None else (Edit(place, edit),)
        return Finding(code, message, (Label(place),), help=help, edits=edits)


def _expected(error: UnexpectedInput) -> tuple[str, ...]:
    """What could stand at the fault, in words, each once; exact, unlike the parser's own guess."""
    if isinstance(error, UnexpectedToken):
        names: Iterable[str] = error.accepts or error.expected
    elif isinstance(error, UnexpectedCharacters):
        names = error.allowed or ()
    else:
        names = ()
    present = set(names)
    if "NUMBER" in present:
        present -= {"NAME", "STRING", "LPAR", "ADD", "REFERENCE"}
    elif "LABEL" in present or ("GLOB" in present):
        present -= {"STRING", "LPAR"}
    if "KEY" in present and "$END" in present:
        present -= {"ADD", "MULTIPLY", "POWER", "LPAR", "LSQB", "DOT"}
    words = [_WORDS[name] for name in _WORDS if name in present]
    return tuple(dict.fromkeys(words))


def _word_at(rest: str) -> str:
    found = re.match(r'"[^"\n]*"|[\w.*?@]+|->|[=!<>*]=|\*\*|.', rest, re.DOTALL)
    return found.group() if found else ""
