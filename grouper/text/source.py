"""Source texts and places in them, which trees, rules and findings refer to."""

from __future__ import annotations

from functools import cached_property

from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Source:
    """A text and its path as shown to users (`<string>` for text without a file)."""

    text: str
    path: str = "<string>"

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0] + [i + 1 for i, character in enumerate(self.text) if character == "\n"]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1, columns in code points."""
        from bisect import bisect_right  # needed only when places are shown

        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its newline."""
        starts = self._line_starts
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Span:
    """The code points `[start, end)` of a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def end_line(self) -> int:
        return self.source.position(self.end)[0]

    @property
    def end_column(self) -> int:
        """The column after the last character."""
        return self.source.position(self.end)[1]

    @property
    def place(self) -> str:
        """`path:line:column`, in the format of editors and terminals."""
        return f"{self.source.path}:{self.line}:{self.column}"
