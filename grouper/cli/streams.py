"""Standard output and standard error, which may be closed, full, or read by nobody any more."""

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
    """Make the standard streams ones that can be written to, whatever the process was given."""
    if sys.stdout is None:  # closed by the caller, as by `>&-`
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may not be encodable
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def writing(stream: TextIO) -> Iterator[None]:
    """Raises Failure where the stream cannot be written, BrokenPipeError where its reader is
    gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard error" if stream is sys.stderr else "standard output"
        raise Failure(f"{name} cannot be written: {error.strerror}") from None


def flush() -> None:
    """Write what is still held back, as long as an error can be reported."""
    with writing(sys.stdout):
        sys.stdout.flush()


def report(message: str) -> None:
    """Print a line to standard error, if that is possible."""
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard(*streams: TextIO) -> None:
    """Drop what the streams hold back, which Python would try to write at exit."""
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


class _Closed(io.TextIOBase):
    """Standard output that was closed: writing to it is the error that the system would give."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
