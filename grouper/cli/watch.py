"""`grouper check --watch`: checks again whenever a file changes, until Ctrl-C."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable

from grouper.cli import streams
from grouper.cli.exit import CLEAN, FAILED, Failure, failure_line
from grouper.cli.write import emit
from grouper.model.errors import ModelError

PAUSE = 0.3  # seconds between two looks at the files
MOST_FILES = 10_000  # in a folder; a checkpoint has fewer
CLEAR = "\x1b[H\x1b[2J\x1b[3J"  # also clears the scrollback

State = dict[str, tuple[int, int] | None]


def watch(check: Callable[[], int], files: Callable[[], Iterable[str]]) -> int:
    """Call `check` now and after every change to the `files`, which are listed again each time.

    A terminal is cleared before each check. Ctrl-C ends it; returns the status of the last check.
    """
    status = CLEAN
    try:
        while True:
            watched = list(files())
            before = state_of(watched)
            status = _once(check, len(watched))
            while state_of(watched) == before:
                time.sleep(PAUSE)
            _wait_until_written(watched)
    except KeyboardInterrupt:
        return status


def state_of(paths: Iterable[str]) -> State:
    """The modification time and size of every file, or None for a missing one."""
    return {file: _stamp(file) for path in paths for file in _files_in(path)}


def _once(check: Callable[[], int], count: int) -> int:
    terminal = sys.stdout.isatty()
    if terminal:
        emit([CLEAR, "\r"])
    try:
        status = check()
    except (Failure, ModelError) as failure:
        streams.report(failure_line(failure))
        status = FAILED
    if terminal:
        emit(f"\nwatching {count} file{'s' * (count != 1)}; stop with Ctrl-C")
    streams.flush()
    return status


def _wait_until_written(paths: list[str]) -> None:
    """Wait until nothing has changed for a moment, because editors write in several steps."""
    before = state_of(paths)
    while True:
        time.sleep(PAUSE / 3)
        now = state_of(paths)
        if now == before:
            return
        before = now


def _files_in(path: str) -> Iterable[str]:
    if not os.path.isdir(path):
        return [path]
    files = (os.path.join(top, name) for top, _, names in os.walk(path) for name in names)
    return [file for file, _ in zip(files, range(MOST_FILES), strict=False)]


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size
