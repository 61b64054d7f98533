"""Positions as editors count them: lines from 0, and columns in units of an encoding."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Literal

from grouper.text.dataclass import dataclass
from grouper.text.source import Span

Encoding = Literal["utf-8", "utf-16", "utf-32"]
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Lines:
    """The lines of a text. As in the protocol, a line ends with `\\n`, `\\r\\n` or `\\r`."""

    text: str
    encoding: Encoding = "utf-16"

    @cached_property
    def starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """The line of an offset, and the number of units before it in that line."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.starts, offset) - 1
        before = self.text[self.starts[line] : offset]
        return line, self._units(before)

    def offset(self, line: int, units: int) -> int:
        """The offset of a position; if it does not exist, of the nearest one before it."""
        if line < 0:
            return 0
        if line >= len(self.starts):
            return len(self.text)
        start = self.starts[line]
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.text)
        content = self.text[start:end].rstrip("\r\n")
        if content.isascii() or self.encoding == "utf-32":
            return start + max(0, min(units, len(content)))
        used = 0
        for index, character in enumerate(content):
            used += self._units(character)
            if used > units:
                return start + index
        return start + len(content)

    def length(self, span: Span) -> int:
        """The number of units in a span of one line."""
        return self._units(span.text)

    def _units(self, text: str) -> int:
        if text.isascii() or self.encoding == "utf-32":
            return len(text)
        if self.encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(character > "\uffff" for character in text)
