"""Standard output and standard error, which may be closed, full, or without a reader."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from grouper.cli.exit import Failure


def prepare() -> None:
    """Make the standard streams writable, also if the process started with them closed."""
    if sys.stdout is None:  # closed by the caller, as by `>&-`
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may not be encodable
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def writing(stream: TextIO) -> Iterator[None]:
    """Raises Failure if the stream cannot be written, BrokenPipeError if its reader is gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard error" if stream is sys.stderr else "standard output"
        raise Failure(f"{name} cannot be written: {error.strerror}") from None


def flush() -> None:
    """Flush standard output while an error can still be reported."""
    with writing(sys.stdout):
        sys.stdout.flush()


def report(message: str) -> None:
    """Print a line to standard error, if possible."""
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard(*streams: TextIO) -> None:
    """Drop the streams' buffers, which Python would otherwise try to write at exit."""
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


class _Closed(io.TextIOBase):
    """A closed standard output: writing to it raises the error of the system."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
