"""Reads a snapshot in grouper's layout line by line, so that its JSON is never all in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
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
    add: dict[str, Callable[[Sequence[Row]], None]] = {
        "modules": rows.add_modules,
        "parameters": rows.add_parameters,
    }
    rest, length = [], 0
    for section, lines in _blocks(file):
        if section:
            add[section](_decoded(lines, file.path))
            continue
        rest += lines
        length += len(lines[0])
        if length > MAX_SIZE:
            raise too_large(file)
        if len(rest) > MAX_LINES:
            raise ValueError("another layout")
    value = loaded(Buffer(b"\n".join(rest), file.path))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value, rows


def _blocks(file: BytesSource) -> Iterator[tuple[str, list[bytes]]]:
    """The lines of rows that are decoded together, each with its section; "" for another line.

    A long row is alone.
    """
    section, block = "", list[bytes]()
    for line in _lines(file):
        is_row = section != "" and line.startswith(b"{")
        if is_row and len(line) <= SHORT and len(block) < BLOCK:
            block.append(line)
            continue
        if block:
            yield section, block
            block = []
        if not is_row:
            yield "", [line]
            section = _OPENS.get(line.rstrip(), "")
        elif len(line) <= SHORT:
            block = [line]
        else:
            yield section, [line]
    if block:
        yield section, block


def _decoded(lines: list[bytes], path: str) -> list[Row]:
    """The rows in the lines, each with the comma that separates it from the next."""
    text = b"\n".join(lines).rstrip(b",\r")
    if len(lines[0]) > SHORT:
        rows = [loaded(Buffer(text, path))]
    else:
        rows = _ROWS.decode(f"[{text.decode('utf-8')}]")
    if not {*map(type, rows)} <= {dict}:
        raise TypeError("not an object")
    return rows


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
