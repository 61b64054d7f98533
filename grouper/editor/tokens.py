"""The tokens of a rules file."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """The kind of a token."""

    COMMENT = "comment"
    STRING = "string"
    REGEX = "regex"
    NUMBER = "number"
    CONSTANT = "constant"  # true, false, none
    KEYWORD = "keyword"
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"
    GLOB = "glob"
    CLASS = "class"
    FACT = "fact"  # ndim in a selector
    MARK = "mark"  # no_weight_decay after `has`
    LABEL = "label"  # after `->`
    KEY = "key"  # of an option
    WORD = "word"  # in an expression
    REFERENCE = "reference"  # head.lr
    FUNCTION = "function"
    VARIABLE = "variable"  # after `let`
    OPTIMIZER = "optimizer"
    ALIAS = "alias"  # after `as`
    SCHEDULE = "schedule"
    SPLIT = "split"
    TAG = "tag"
    CODE = "code"
    ERROR = "error"


class Token(NamedTuple):
    """A token at `[start, end)` in the text."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)
