"""Model files on other machines; only the parts that a reader needs are fetched."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from grouper.model.files.file import cut_short
from grouper.text.addresses import without_secrets

if TYPE_CHECKING:
    from types import TracebackType

BLOCK = 1 << 16  # bytes; what one request fetches at least
AHEAD = 64  # blocks; what one request fetches ahead at most
KEPT = 256  # blocks
_URL = r"[A-Za-z][A-Za-z0-9+.-]+(://|::)"
_WEB = "(?i)https?://"


def recognises(path: str) -> bool:
    """Whether a path is an address (`https://...`, `s3://...`)."""
    return re.match(_URL, path) is not None and not os.path.exists(path)


class Remote:
    """An open remote file. Raises ModelError if it cannot be reached, when opened or later.

    `path` is its address without possible secrets: user name, password and query. `bytes_read`
    counts the fetched bytes. The last few blocks are cached.
    """

    def __init__(self, url: str) -> None:
        self.path = without_secrets(url)
        self._url = url
        self._blocks: dict[int, bytes] = {}
        self._next, self._ahead = 1, 1
        from grouper.model.files.connection import connect

        self._connection = connect(url, self.path, BLOCK)
        self.size = self._connection.size
        self.bytes_read = len(self._connection.head)
        if self._connection.head:
            self._blocks[0] = self._connection.head

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes, from cached blocks and one request for the missing ones."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise cut_short(self.path)
        if not length:
            return b""
        first, last = offset // BLOCK, (offset + length - 1) // BLOCK
        if last - first >= KEPT:
            return self._fetched(offset, offset + length)
        missing = [i for i in range(first, last + 1) if i not in self._blocks]
        if missing:
            self._load(missing[0], missing[-1] + 1)
        data = b"".join(self._blocks[i] for i in range(first, last + 1))
        while len(self._blocks) > KEPT:
            del self._blocks[next(iter(self._blocks))]
        return data[offset - first * BLOCK :][:length]

    def beside(self, name: str) -> Remote:
        """Opens a remote file in the same folder. Raises FileNotFoundError if it is missing."""
        from grouper.model.files.connection import Absent

        try:
            return Remote(sibling(self._url, name))
        except Absent as error:
            raise FileNotFoundError(str(error)) from error

    def close(self) -> None:
        self._connection.close()

    def _load(self, first: int, end: int) -> None:
        """Fetches the blocks from `first` up to `end`, and more if reads are sequential."""
        self._ahead = min(2 * self._ahead, AHEAD) if first == self._next else 1
        end = max(end, first + self._ahead)
        data = self._fetched(first * BLOCK, min(end * BLOCK, self.size))
        for i in range(0, len(data), BLOCK):
            self._blocks.pop(first + i // BLOCK, None)
            self._blocks[first + i // BLOCK] = data[i : i + BLOCK]
        self._next = end

    def _fetched(self, start: int, end: int) -> bytes:
        data = self._connection.fetch(start, end)
        self.bytes_read += len(data)
        if len(data) != end - start:
            raise cut_short(self.path)
        return data

    def __enter__(self) -> Remote:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def sibling(url: str, name: str) -> str:
    """The address of another file in the same folder; keeps the query, which may be a login."""
    from urllib.parse import quote

    first, *chained = url.split("::")
    if re.match(_WEB, first):
        place, mark, query = first.partition("?")
        first = f"{place.rpartition('/')[0]}/{quote(name)}{mark}{query}"
    else:
        first = f"{first.rpartition('/')[0]}/{name}"
    return "::".join((first, *chained))
