"""Parts of a regular file, by offset and length; whatever it holds is never mapped or trusted."""

from __future__ import annotations

import os
import stat
from types import TracebackType

from grouper.inventory import codes
from grouper.inventory.errors import ModelError


class File:
    """An open file that is read in pieces; `bytes_read` counts them."""

    def __init__(self, path: str) -> None:
        self.path = path
        # A FIFO would wait for a writer: O_NONBLOCK opens it at once, and it is refused below.
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise ModelError(
                codes.NOT_A_MODEL,
                f"`{path}` is no regular file",
                "give the path of a checkpoint",
            )
        self.size = status.st_size
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; a file that ends before is broken."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise cut_short(self.path)
        parts = []
        while length:
            part = os.pread(self._descriptor, min(length, 1 << 24), offset)
            if not part:
                raise cut_short(self.path)
            parts.append(part)
            offset += len(part)
            length -= len(part)
            self.bytes_read += len(part)
        return b"".join(parts)

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


def cut_short(path: str) -> ModelError:
    return ModelError(
        codes.BROKEN, f"`{path}` is cut short or damaged", "download or copy the file again"
    )
