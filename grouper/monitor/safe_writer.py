"""Turns errors of the monitor into one warning, so that they never stop the training."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextlib import suppress

from grouper.monitor.record import Header, Record
from grouper.monitor.writers import Writer


def warn(message: str) -> None:
    """Warn without a code line, which would be one of torch's. Where warnings are errors, print to
    stderr instead."""
    try:
        warnings.warn_explicit(message, RuntimeWarning, "grouper", 0, module="grouper.monitor")
    except Warning:
        print(f"warning: {message}", file=sys.stderr)


def reason(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, OSError) and text else f"{type(error).__name__}: {text}"


class SafeWriter:
    """A writer that stops with one warning instead of an exception.

    A full disk or a folder that cannot be written does not end the training. `make` may raise
    anything but OSError before the first step: ImportError for a missing package.
    """

    def __init__(self, name: str, make: Callable[[], Writer]) -> None:
        self._name = name
        self._writer: Writer | None = None
        try:
            self._writer = make()
        except OSError as error:
            self._stop(error)

    @property
    def failed(self) -> bool:
        return self._writer is None

    def header(self, header: Header) -> None:
        self._try(lambda writer: writer.header(header))

    def record(self, record: Record) -> None:
        self._try(lambda writer: writer.record(record))

    def close(self) -> None:
        self._try(lambda writer: writer.close())
        self._writer = None

    def _try(self, action: Callable[[Writer], None]) -> None:
        if self._writer is None:
            return
        try:
            action(self._writer)
        except Exception as error:
            self._stop(error)

    def _stop(self, error: Exception) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(Exception):  # the warning below reports the first error
                writer.close()
        warn(f"the monitor stops writing {self._name}: {reason(error)}; training goes on")
