"""Reads parts of files by offset and length; files are untrusted and never memory-mapped."""

from __future__ import annotations

import os
import stat
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, runtime_checkable

from grouper.model import codes
from grouper.model.errors import ModelError

HEAD = 512  # bytes at the start of a file by which its format is recognised


class BytesSource(Protocol):
    """Bytes read in pieces: a local file, a part of one, a remote file, a buffer."""

    @property
    def path(self) -> str:
        """Its name in messages."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    @property
    def bytes_read(self) -> int:
        """How many bytes have been read so far."""

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes. Raises ModelError (broken file) if there are fewer."""


@runtime_checkable
class Sibling(BytesSource, Protocol):
    """A source with others beside it: a file in a folder."""

    def beside(self, name: str) -> AbstractContextManager[BytesSource]:
        """The source of that name beside this one. Raises FileNotFoundError if there is none."""


class File:
    """An open file. Raises OSError if it cannot be opened, ModelError if it is not regular."""

    def __init__(self, path: str) -> None:
        self.path = path
        _require_regular(path, os.stat(path))  # before opening: opening a device may have effects
        # If the path has become a FIFO since, opening without O_NONBLOCK would wait for a writer.
        flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, os.O_RDONLY | flags)
        status = os.fstat(self._descriptor)
        try:
            _require_regular(path, status)
        except ModelError:
            self.close()
            raise
        self.size = status.st_size
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; a file that ends earlier, or has shrunk, is broken."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise cut_short(self.path)
        parts = []
        while length:
            part = _read_at(self._descriptor, min(length, 1 << 24), offset)
            if not part:
                raise cut_short(self.path)
            parts.append(part)
            offset += len(part)
            length -= len(part)
            self.bytes_read += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def beside(self, name: str) -> File:
        """Opens a file in the same folder. Raises the same errors as `File`."""
        return File(os.path.join(os.path.dirname(self.path), name))

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> File:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Part:
    """`size` bytes of another source, starting at `start`."""

    def __init__(self, source: BytesSource, start: int, size: int) -> None:
        if start < 0 or size < 0 or start + size > source.size:
            raise cut_short(source.path)
        self._source, self._start = source, start
        self.path, self.size = source.path, size

    @property
    def bytes_read(self) -> int:
        return self._source.bytes_read

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise cut_short(self.path)
        return self._source.read(self._start + offset, length)


class Buffer:
    """Bytes in memory."""

    bytes_read = 0

    def __init__(self, content: bytes, path: str = "<bytes>") -> None:
        self._content = content
        self.path, self.size = path, len(content)

    def read(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise cut_short(self.path)
        return self._content[offset : offset + length]


def cut_short(path: str) -> ModelError:
    return ModelError(
        codes.BROKEN, f"`{path}` is cut short or damaged", "download or copy the file again"
    )


def _require_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(
            codes.NOT_A_MODEL, f"`{path}` is not a regular file", "give the path of a checkpoint"
        )


def _read_at(descriptor: int, length: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, length)
