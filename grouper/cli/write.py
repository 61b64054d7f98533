"""Writes text and pictures to standard output and to files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TextIO

from grouper.cli.exit import Failure
from grouper.cli.streams import writing


def emit(pieces: str | Iterable[str], stream: TextIO | None = None) -> None:
    """Print text, ending in a newline, to a stream, by default standard output."""
    out, last = stream or sys.stdout, "\n"
    for piece in [pieces] if isinstance(pieces, str) else pieces:
        with writing(out):
            out.write(piece)
        last = piece or last
    if not last.endswith("\n"):
        with writing(out):
            out.write("\n")


def emit_utf8(text: str) -> None:
    """Print text as UTF-8, regardless of the encoding of standard output."""
    buffer = getattr(sys.stdout, "buffer", None)
    with writing(sys.stdout):
        sys.stdout.flush()
        buffer.write(text.encode()) if buffer else sys.stdout.write(text)


def write(path: str, content: str | bytes | Iterable[str]) -> None:
    """Write a file atomically; a device or a pipe piece by piece."""
    from grouper.text.write_file import write_whole

    try:
        write_whole(path, [content] if isinstance(content, str | bytes) else content)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failure(f"`{path}` cannot be written: {reason}") from None


def append(path: str, content: Iterable[str]) -> None:
    """Add to the end of a file."""
    text = "".join(content)
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Failure(f"`{path}` cannot be written: {error.strerror}") from None


def emit_paths(paths: Iterable[str]) -> None:
    """Print the names of the files that were written, leaving out devices and pipes."""
    from grouper.text.printable import visible
    from grouper.text.write_file import names_stream

    emit("".join(f"wrote {visible(path)}\n" for path in paths if not names_stream(path)))


def picture_format(path: str) -> str:
    """The format of a picture, from the extension of its file."""
    from grouper.text.picture import format_of

    try:
        return format_of(path)
    except ValueError as error:
        raise Failure(str(error)) from None


def drawn(draw: Callable[[], bytes]) -> bytes:
    """Draws a picture. Raises Failure if matplotlib is missing or cannot draw it."""
    try:
        return draw()
    except ImportError as error:
        raise Failure(f"--plot needs matplotlib ({error}): `pip install matplotlib`") from None
    except (ArithmeticError, ValueError):
        raise Failure("the numbers are too large or too small for matplotlib") from None
