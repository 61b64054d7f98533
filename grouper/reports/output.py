"""How text is printed: on a terminal with a width and colours, or to a pipe."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from grouper.text.dataclass import dataclass, replace

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from grouper.reports.lines import Line

UNLIMITED = 1_000_000  # columns
DRAWING = 80  # columns
_TRAILING_BLANKS = re.compile(r" +((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)


@dataclass(frozen=True)
class Output:
    """The properties of an output that text renderers use.

    `terminal` is whether it goes to a terminal. `color` is auto (obeys NO_COLOR, FORCE_COLOR and
    pipes), always or never. `encoding` limits the characters that can be written. `quiet` prints
    only problems, `verbose` every group, name and digit. `width` is in columns; None is the
    terminal's width and, elsewhere, no limit: text for programs is never wrapped, padded or cut.
    """

    terminal: bool = False
    color: str = "auto"
    encoding: str = "utf-8"
    quiet: bool = False
    width: int | None = None
    verbose: bool = False

    @classmethod
    def to(
        cls, stream: TextIO, color: str = "auto", quiet: bool = False, verbose: bool = False
    ) -> Output:
        encoding = stream.encoding or "utf-8"
        return cls(stream.isatty(), color, encoding, quiet, verbose=verbose)

    @property
    def columns(self) -> int:
        """The maximum width of lines."""
        if self.width:
            return self.width
        if not self.terminal:
            return UNLIMITED
        from shutil import get_terminal_size

        return max(get_terminal_size().columns, 20)

    def quieter(self, quiet: bool = True) -> Output:
        """The same output, but printing only problems."""
        return replace(self, quiet=quiet)

    def sign(self, character: str, plain: str) -> str:
        """The character, or the plain one if the stream cannot encode it."""
        try:
            character.encode(self.encoding)
        except (LookupError, UnicodeEncodeError):
            return plain
        return character

    def text(self, lines: Iterable[Line]) -> str:
        """The lines with their colours, not wrapped."""
        if self._is_plain:
            return "".join(f"{line.plain}\n" for line in lines)
        return self.printed(lambda out: _print_lines(lines, out))

    def printed(self, draw: Callable[[Console], None]) -> str:
        """The text that `draw` prints."""
        file = _Letters(self.encoding)
        width = self.width or (None if self.terminal else UNLIMITED)
        draw(console(self.color, file, self.terminal, width))
        text = file.getvalue()
        return text if self.terminal else _TRAILING_BLANKS.sub(r"\1", text)

    @property
    def _is_plain(self) -> bool:
        """Whether the text has no colours, so that rich is not needed."""
        if self.color != "auto":
            return self.color == "never"
        forced = any(name in os.environ for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))
        return bool(os.environ.get("NO_COLOR")) or not (self.terminal or forced)

    def line(self, text: Text) -> str:
        """A line, not wrapped."""
        return self.printed(lambda out: out.print(text, soft_wrap=True))


def _print_lines(lines: Iterable[Line], out: Console) -> None:
    from rich.text import Text

    for line in lines:
        out.print(Text.assemble(*line.pieces), soft_wrap=True)


def drawing_columns(out: Console) -> int:
    """The width of a drawing. Unlike lines, it needs a width without a terminal: `COLUMNS`, or the
    traditional 80."""
    if out.width < UNLIMITED:
        return out.width
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else DRAWING


def console(
    color: str = "auto",
    file: TextIO | None = None,
    terminal: bool = False,
    width: int | None = None,
) -> Console:
    """A console that prints text unchanged: no markup, no emoji, no highlighting."""
    from rich.console import Console

    plain = color == "never" or (color == "auto" and os.environ.get("NO_COLOR"))
    colored = color == "always" or (terminal and not plain)
    return Console(
        file=file,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=True if colored else False if plain else None,
        color_system=None if plain else "auto",
        legacy_windows=False,
        force_jupyter=False,  # in a notebook, rich would show the text instead of writing it
    )


class _Letters(StringIO):
    """Text in memory for a stream with a given encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding
