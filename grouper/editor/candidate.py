"""The candidates of a completion."""

from __future__ import annotations

from enum import Enum

from grouper.text.dataclass import dataclass
from grouper.text.source import Span


class Sort(Enum):
    """The kind of a candidate, which editors show as an icon."""

    KEYWORD = "keyword"
    MODULE = "module"
    PARAMETER = "parameter"
    CLASS = "class"
    MARK = "mark"
    LABEL = "label"
    OPTION = "option"
    VARIABLE = "variable"
    CAPTURE = "capture"
    FACT = "fact"
    FUNCTION = "function"
    CONSTANT = "constant"
    OPTIMIZER = "optimizer"
    SCHEDULE = "schedule"
    VALUE = "value"
    FILE = "file"
    CODE = "code"


@dataclass(frozen=True)
class Candidate:
    """A text that can replace a span; `insert` is what to insert if it differs from `text`."""

    text: str
    kind: Sort
    span: Span
    detail: str = ""
    documentation: str = ""
    insert: str | None = None
    rank: int = 0

    @property
    def written(self) -> str:
        return self.text if self.insert is None else self.insert
