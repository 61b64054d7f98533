"""Writing: to standard output, to files, and pictures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

from grouper.cli.exit import Failure
from grouper.reports import figure
from grouper.text.write_file import write_whole


def emit(pieces: str | Iterable[str], stream: TextIO | None = None) -> None:
    """Print text, with a newline at its end; to standard output if no stream is named."""
    out, last = stream or sys.stdout, "\n"
    for piece in [pieces] if isinstance(pieces, str) else pieces:
        out.write(piece)
        last = piece or last
    if not last.endswith("\n"):
        out.write("\n")


def write(path: str, content: str | bytes | Iterable[str]) -> None:
    """Write a whole file or nothing."""
    try:
        write_whole(path, [content] if isinstance(content, str | bytes) else content)
    except OSError as error:
        raise Failure(f"`{path}` cannot be written: {error.strerror}") from None


def picture_format(path: str) -> str:
    """The format of a picture by the ending of its file."""
    format = Path(path).suffix.removeprefix(".").lower()
    if format not in figure.FORMATS:
        endings = " or ".join(f".{name}" for name in figure.FORMATS)
        raise Failure(f"`{path}` is not a {endings} file")
    return format


def drawn(draw: Callable[[], bytes]) -> bytes:
    """The picture. Raises Failure where matplotlib is missing, or cannot draw it."""
    try:
        return draw()
    except ImportError as error:
        raise Failure(f"--plot needs matplotlib ({error}); `pip install 'grouper[plot]'`") from None
    except (ArithmeticError, ValueError):
        raise Failure("matplotlib cannot draw numbers that are so large and so small") from None
