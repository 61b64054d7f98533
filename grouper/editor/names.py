"""The names that a file declares and uses: variables, labels, captures, optimizers and splits.

They are taken from the tokens and not from the syntax tree, so that broken statements have names,
too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from grouper.editor.scan import Scanned
from grouper.editor.tokens import Kind, Token
from grouper.language.expressions import OF_LABELS
from grouper.text.dataclass import dataclass
from grouper.text.source import Source, Span


class What(Enum):
    """The kind of thing that a name refers to."""

    VARIABLE = "variable"
    LABEL = "label"
    CAPTURE = "capture"
    OPTIMIZER = "optimizer"
    SPLIT = "split"


@dataclass(frozen=True)
class Name:
    """One occurrence of a name. `scope` is the start of the rule that a capture belongs to."""

    what: What
    text: str
    span: Span
    declares: bool = False
    scope: int | None = None


_CAPTURE = re.compile(r"\{([^\W\d]\w*)(?=[:}])")
_GROUP = re.compile(r"\(\?P<([^\W\d]\w*)>")


def names_of(source: Source, statements: tuple[Scanned, ...]) -> tuple[Name, ...]:
    """The names in a file. Words that can be variables are `VARIABLE`s, declared or not."""
    return tuple(name for statement in statements for name in _Names(source, statement).all())


class _Names:
    """The names of one statement."""

    def __init__(self, source: Source, statement: Scanned) -> None:
        self.source, self.statement, self.tokens = source, statement, statement.tokens
        self.captures = {name.text for name in self._captured()}

    def all(self) -> Iterator[Name]:
        yield from self._captured()
        for index, token in enumerate(self.tokens):
            yield from self._name(index, token)
        for rule in self.statement.inside:
            yield from _Names(self.source, rule).all()

    def _name(self, index: int, token: Token) -> Iterator[Name]:
        match token.kind:
            case Kind.VARIABLE:
                yield self._at(What.VARIABLE, token, declares=True)
            case Kind.SPLIT:
                yield self._at(What.SPLIT, token, declares=True)
            case Kind.ALIAS:
                yield self._at(What.OPTIMIZER, token, declares=True)
            case Kind.OPTIMIZER:
                if not any(other.kind is Kind.ALIAS for other in self.tokens):
                    yield self._at(What.OPTIMIZER, token, declares=True)
            case Kind.SCHEDULE:
                yield self._at(What.VARIABLE, token)  # `schedule curve` can name a variable
            case Kind.LABEL:
                yield from self._label(token)
            case Kind.STRING:
                yield from self._string(index, token)
            case Kind.REFERENCE:
                label = token.text.partition(".")[0]
                yield self._at(What.LABEL, Token(token.kind, label, token.start))
            case Kind.WORD:
                yield self._word(index, token)
            case _:
                pass

    def _word(self, index: int, token: Token) -> Name:
        if token.text in self.captures:
            return self._at(What.CAPTURE, token)
        if self._argument_of_label(index):
            return self._at(What.LABEL, token)
        if self._before(index) == "=" and index > 1 and self.tokens[index - 2].text == "optimizer":
            return self._at(What.OPTIMIZER, token)
        return self._at(What.VARIABLE, token)

    def _argument_of_label(self, index: int) -> bool:
        """Whether a token is the label of `count(head)`, or of `lr(head)` in a claim."""
        if index < 2 or self.tokens[index - 1].text != "(":
            return False
        function = self.tokens[index - 2]
        after = self.tokens[index + 1].text if index + 1 < len(self.tokens) else ")"
        known = function.text in OF_LABELS or (
            self.statement.word == "expect" and function.text in ("lr", "momentum")
        )
        return function.kind is Kind.FUNCTION and known and after == ")"

    def _before(self, index: int) -> str:
        return self.tokens[index - 1].text if index else ""

    def _label(self, token: Token) -> Iterator[Name]:
        yield self._at(What.LABEL, token, declares=True)
        for match in re.finditer(r"\{([^\W\d]\w*)\}", token.text):
            yield self._at(What.CAPTURE, Token(token.kind, match[1], token.start + match.start(1)))

    def _string(self, index: int, token: Token) -> Iterator[Name]:
        if len(token.text) < 2 or not token.text.endswith('"'):
            return
        inside = Token(token.kind, token.text[1:-1], token.start + 1)
        after = self.tokens[index + 1].text if index + 1 < len(self.tokens) else ""
        if self._before(index) == "->":
            yield self._at(What.LABEL, inside, declares=True)
        elif (self.statement.word == "expect" and after == ".") or self._argument_of_label(index):
            yield self._at(What.LABEL, inside)

    def _captured(self) -> Iterator[Name]:
        """The captures in the selector."""
        for token in self.tokens:
            pattern = {Kind.GLOB: _CAPTURE, Kind.REGEX: _GROUP}.get(token.kind)
            for match in pattern.finditer(token.text) if pattern else ():
                place = Token(token.kind, match[1], token.start + match.start(1))
                yield self._at(What.CAPTURE, place, declares=True)

    def _at(self, what: What, token: Token, declares: bool = False) -> Name:
        scope = self.statement.span.start if what is What.CAPTURE else None
        return Name(what, token.text, Span(self.source, token.start, token.end), declares, scope)
