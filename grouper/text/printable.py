"""Makes untrusted text safe to print: it cannot move the cursor or change the text direction."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sized


def visible(text: str) -> str:
    """The text with control, format and private characters written as `\\u001b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _harmless(character) else _escaped(character) for character in text)


def shortened(text: str, most: int = 60) -> str:
    """The text, cut with `...` if it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def width(text: str) -> int:
    """The number of terminal columns that the text takes."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def quoted_list(words: Iterable[object]) -> str:
    """The words in backticks, separated by commas: `` `lr`, `momentum` ``."""
    return ", ".join(f"`{word}`" for word in words)


def quoted(text: str) -> str:
    """A text in double quotes, as rules files have them."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def count_phrase(items: Sized, noun: str = "tensor") -> str:
    """`1 tensor`, `6 tensors`, `1,200 tensors`."""
    return f"{len(items):,} {noun}{'s' * (len(items) != 1)}"


def size_phrase(numbers: int) -> str:
    """A number of parameters: `9,504 parameters`, `7.2 M parameters`."""
    for unit, name in ((10**9, "B"), (10**6, "M")):
        if numbers >= unit * 0.99995:  # rounds to at least 1.0
            return f"{numbers / unit:.1f} {name} parameters"
    return f"{numbers:,} parameter{'s' * (numbers != 1)}"


def _harmless(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ" or character == " "


def _escaped(character: str) -> str:
    point = ord(character)
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
