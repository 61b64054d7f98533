"""Recognises misspelt names: another case, or one letter added, missing or wrong."""

from __future__ import annotations

LEAST = 5  # minimum length of a word in which one letter may be wrong


def is_slip(word: str, name: str) -> bool:
    """Whether a word is a name with another case or separators, or with one wrong letter.

    A different digit, a plural or a different single letter, as in `lora_A` and `lora_B`, makes
    another name.
    """
    if word == name:
        return False
    one, other = normalized(word), normalized(name)
    if one == other:
        return True
    if any(len(part) == 1 for part in name.split("_")):
        return False
    if min(len(one), len(other)) < LEAST or one.rstrip("s") == other.rstrip("s"):
        return False
    return _digits(one) == _digits(other) and _one_edit(one, other)


def normalized(word: str) -> str:
    """A word without case and separators."""
    return word.replace("_", "").lower()


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _one_edit(one: str, other: str) -> bool:
    """Whether the texts differ by one inserted, deleted or replaced letter, or by two swapped
    neighbours."""
    short, long = sorted((one, other), key=len)
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    if len(long) == len(short) + 1:
        return short[start:] == long[start + 1 :]
    if len(long) != len(short):
        return False
    turned = short[start : start + 2][::-1] == long[start : start + 2]
    return short[start + 1 :] == long[start + 1 :] or (
        turned and short[start + 2 :] == long[start + 2 :]
    )
