"""The file of a monitored run, read once or repeatedly as it grows."""

from __future__ import annotations

import os
import stat
from typing import IO

from grouper.cli.exit import Failure
from grouper.monitor.run import NewerVersion, Run, RunReader, read_lines


class RunFile:
    """Reads a run. Raises Failure if the file is missing or was not written by grouper.Monitor."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = _opened(path)
        self._reader = RunReader()

    def look(self) -> Run:
        """The run so far. A file that was replaced or truncated is read from its start."""
        if self._was_replaced():
            self._file.close()
            self._file, self._reader = _opened(self._path), RunReader()
        try:
            read_lines(self._file, self._reader)
        except NewerVersion:
            raise Failure(f"`{self._path}` was written by a newer version of grouper") from None
        except OSError as error:
            raise Failure(f"`{self._path}` cannot be read: {error.strerror}") from None
        run = self._reader.run
        if run.broken and run.header is None and not run.records:
            raise Failure(f"`{self._path}` was not written by grouper.Monitor")
        return run

    def _was_replaced(self) -> bool:
        opened = os.fstat(self._file.fileno())
        try:
            on_disk = os.stat(self._path)
        except OSError:
            return False  # renamed or deleted: the open file can still be read
        return not os.path.samestat(opened, on_disk) or on_disk.st_size < self._file.tell()


def _opened(path: str) -> IO[bytes]:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # reading a pipe would block
            raise Failure(f"`{path}` is not a regular file")
        return open(path, "rb")
    except FileNotFoundError:
        raise Failure(f"there is no file `{path}`") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failure(f"`{path}` cannot be read: {reason}") from None
