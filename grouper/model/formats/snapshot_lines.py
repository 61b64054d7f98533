"""Reads a snapshot in grouper's layout line by line, so that its JSON is never all in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from grouper.model.files.file import Buffer, BytesSource
from grouper.model.files.json import MAX_SIZE, loaded, object_of_pairs, too_large
from grouper.model.formats.snapshot_rows import Row, Rows

WINDOW = 1 << 18  # bytes that are read at once
SHORT = 1 << 14  # bytes of a line whose memory need not be estimated
BLOCK = 256  # rows that are decoded at once
MAX_LINES = 100  # that are not rows: grouper writes nine
_OPENS = {b'"modules": [': "modules", b'"parameters": [': "parameters"}
_ROWS = json.JSONDecoder(object_pairs_hook=object_of_pairs)


def recognises(head: bytes) -> bool:
    """Whether a JSON file begins like grouper's snapshots."""
    return head.startswith(b'{"version": ')


def read(file: BytesSource) -> tuple[dict[str, Any], Rows]:
    """A snapshot without its rows, and the rows.

    Raises ValueError, TypeError or LookupError if the layout is another, ModelError if it is too
    large.
    """
    rows = Rows()
    add: dict[str, Callable[[Row], None]] = {
        "modules": rows.add_module,
        "parameters": rows.add_parameter,
    }
    rest, length, section, block = [], 0, "", _Block(file.path)
    for line in _lines(file):
        is_row = section != "" and line.startswith(b"{")
        for row in block.with_line(line.rstrip(b",\r")) if is_row else block.rest():
            add[section](row)
        if is_row:
            continue
        section = _OPENS.get(line.rstrip(), "")
        rest.append(line)
        length += len(line)
        if length > MAX_SIZE:
            raise too_large(file)
        if len(rest) > MAX_LINES:
            raise ValueError("another layout")
    value = loaded(Buffer(b"\n".join(rest), file.path))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value, rows


class _Block:
    """Rows that are decoded together, which is faster than one by one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines: list[bytes] = []

    def with_line(self, line: bytes) -> list[Row]:
        """Takes the text of a row; the rows of a block that is then full."""
        if len(line) > SHORT:
            return [*self.rest(), _checked(loaded(Buffer(line, self._path)))]
        self._lines.append(line)
        return self.rest() if len(self._lines) == BLOCK else []

    def rest(self) -> list[Row]:
        """The rows that are waiting."""
        if not self._lines:
            return []
        text = b"[%b]" % b",".join(self._lines)
        self._lines.clear()
        return [_checked(row) for row in _ROWS.decode(text.decode("utf-8"))]


def _checked(row: object) -> Row:
    if not isinstance(row, dict):
        raise TypeError("not an object")
    return row


def _lines(file: BytesSource) -> Iterator[bytes]:
    """The lines without their line ends; a long line is joined once."""
    at, begun, length = 0, [], 0
    while at < file.size:
        part = file.read(at, min(WINDOW, file.size - at))
        at += len(part)
        first, *more = part.split(b"\n")
        begun.append(first)
        length += len(first)
        if length > MAX_SIZE:
            raise too_large(file)
        for line in more:
            yield b"".join(begun)
            begun, length = [line], len(line)
    yield b"".join(begun)
