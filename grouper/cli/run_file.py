"""A monitor's file, read once or again and again as it grows."""

from __future__ import annotations

import os
import stat
from typing import IO

from grouper.cli.exit import Failure
from grouper.monitor.run import NewerVersion, Run, RunReader, read_lines


class RunFile:
    """Raises Failure where there is no such file, and where it is no monitor's."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = _opened(path)
        self._reader = RunReader()

    def look(self) -> Run:
        """The run as the file has it now. One that was replaced or cut is read from its start."""
        if self._is_another():
            self._file.close()
            self._file, self._reader = _opened(self._path), RunReader()
        try:
            read_lines(self._file, self._reader)
        except NewerVersion:
            raise Failure(f"`{self._path}` was written by a newer grouper than this one") from None
        except OSError as error:
            raise Failure(f"`{self._path}` cannot be read: {error.strerror}") from None
        run = self._reader.run
        if run.broken and run.header is None and not run.records:
            raise Failure(f"`{self._path}` is no file of a monitor: none of its lines is one")
        return run

    def _is_another(self) -> bool:
        mine = os.fstat(self._file.fileno())
        try:
            there = os.stat(self._path)
        except OSError:
            return False  # renamed or deleted: what was opened is still there
        return not os.path.samestat(mine, there) or there.st_size < self._file.tell()


def _opened(path: str) -> IO[bytes]:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe would be waited for
            raise Failure(f"`{path}` is no file of a monitor")
        return open(path, "rb")
    except FileNotFoundError:
        raise Failure(f"there is no file `{path}`") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failure(f"`{path}` cannot be read: {reason}") from None
