"""What every node of the syntax tree is."""

from __future__ import annotations

from grouper.text.dataclass import dataclass, field
from grouper.text.source import Span


@dataclass(frozen=True, kw_only=True)
class Node:
    """Something written in a rules file; built in Python, it has no span."""

    span: Span | None = field(default=None, compare=False, repr=False)
