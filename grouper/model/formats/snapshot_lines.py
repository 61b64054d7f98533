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
MAX_LINES = 100  # that are not rows: grouper writes nine
_OPENS = {b'"modules": [': "modules", b'"parameters": [': "parameters"}
_ROW = json.JSONDecoder(object_pairs_hook=object_of_pairs)


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
    rest, length, section = [], 0, ""
    for line in _lines(file):
        if section and line.startswith(b"{"):
            add[section](_row(line.rstrip(b",\r"), file.path))
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


def _row(line: bytes, path: str) -> Row:
    short = len(line) <= SHORT
    row = _ROW.decode(line.decode("utf-8")) if short else loaded(Buffer(line, path))
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
