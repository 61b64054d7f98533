"""Indented JSON like `json.dumps(value, indent=2)`, but fast for long lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring_ascii as quoted

PIECE = 1 << 16  # characters
LEVELS = 2  # of lists and objects whose items are written one by one
_WORDS: dict[object, str] = {None: "null", True: "true", False: "false"}


def json_text(value: object) -> str:
    """The value as ASCII JSON; keys must be strings. `json` indents in pure Python, token by token,
    which is slow for many parameter names."""
    return _text(value, "\n", {})


def json_pieces(value: object) -> Iterator[str]:
    """The same text in pieces, so that the whole of a long one is never in memory."""
    pieces: list[str] = []
    length = 0
    for piece in _pieces(value, "\n", {}, LEVELS):
        pieces.append(piece)
        length += len(piece)
        if length > PIECE:
            yield "".join(pieces)
            pieces, length = [], 0
    yield "".join(pieces)


def _pieces(
    value: object, begin: str, known: dict[tuple[int, str], str], levels: int
) -> Iterator[str]:
    if not (levels and value and isinstance(value, dict | list | tuple)):
        yield _text(value, begin, known)
        return
    inner = f"{begin}  "
    items: Iterable[tuple[str, object]]
    if isinstance(value, dict):
        opening, closing = "{}"
        items = ((f"{quoted(key)}: ", each) for key, each in value.items())
    else:
        opening, closing = "[]"
        items = (("", each) for each in value)
    before = opening + inner
    for name, each in items:
        yield before + name
        yield from _pieces(each, inner, known, levels - 1)
        before = f",{inner}"
    yield begin + closing


def _text(value: object, begin: str, known: dict[tuple[int, str], str]) -> str:
    """The text at an indentation. `known` has the texts of lists, which many values may share."""
    if type(value) is str:
        return quoted(value)
    if value is None or value is True or value is False:
        return _WORDS[value]
    inner = f"{begin}  "
    if isinstance(value, dict):
        items = [
            f"{quoted(key)}: {quoted(each) if type(each) is str else _text(each, inner, known)}"
            for key, each in value.items()
        ]
        return _enclosed("{", items, begin, "}")
    if isinstance(value, list | tuple):
        key = id(value), begin
        if key not in known:
            items = [
                quoted(each) if type(each) is str else _text(each, inner, known) for each in value
            ]
            known[key] = _enclosed("[", items, begin, "]")
        return known[key]
    return str(value) if type(value) is int else json.dumps(value)


def _enclosed(opening: str, items: Iterable[str], begin: str, closing: str) -> str:
    inside = f",{begin}  ".join(items)
    return f"{opening}{begin}  {inside}{begin}{closing}" if inside else opening + closing
