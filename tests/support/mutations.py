"""Rules files with one mistake each, as people make them; each with its kind and its line."""

from __future__ import annotations

import re
from collections.abc import Iterator

FOREIGN = (
    ("lr*=", "lr_mult="),
    ("lr*=", "lr_scale="),
    ("weight_decay=", "wd="),
    ("weight_decay=", "decay="),
    ("lr=", "learning_rate="),
    ("-> freeze", "-> requires_grad=false"),
    ("optimizer=", "use_"),
    ("final=", "eta_min="),
    ("share=", "ratio="),
)
CLASSES = ("LayerNorm", "BatchNorm2d", "Linear", "Embedding")


def mutations(text: str) -> Iterator[tuple[str, int, str]]:
    """The kind of mistake, its line (from 1), and the text with it."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        code = line.partition("#")[0].rstrip()
        if not code.strip() or code.strip() in "{}":
            continue
        for kind, new in _of_line(code):
            yield kind, at + 1, "\n".join([*lines[:at], *new, *lines[at + 1 :]])
    yield from _swapped_values(lines)


def _of_line(code: str) -> Iterator[tuple[str, list[str]]]:
    if "->" in code:
        yield "a line left out", []
        yield "a rule twice", [code, code]
    for kind, changed in _changed(code):
        if changed != code:
            yield kind, [changed]


def _changed(code: str) -> Iterator[tuple[str, str]]:
    selector, arrow, options = code.partition("->")
    if arrow:
        for kind, changed in _selectors(selector):
            yield kind, f"{changed}->{options}"
    for old, new in FOREIGN:
        if old in code:
            yield "another tool's word", code.replace(old, new, 1)
    for old, new in (("(", "["), (")", "]"), ("{", "("), ("}", ")"), ("{", "["), ("[", "(")):
        if old in code:
            yield "a wrong bracket", code.replace(old, new, 1)
    for word in re.finditer(r"\b(optimizer|schedule) (\w+)", code):
        yield "another case", code[: word.start(2)] + word[2].lower() + code[word.end(2) :]
    for sign in ("->", "*=", "="):
        if sign in code:
            yield "a sign left out", code.replace(sign, sign[0] if sign == "*=" else "", 1)
    for word in re.finditer(r"[a-z_]{5,}(?==|\*=)", code):
        yield "a word misspelt", code[: word.start()] + _misspelt(word[0]) + code[word.end() :]


def _selectors(selector: str) -> Iterator[tuple[str, str]]:
    for word in re.finditer(r"(?<![\w@\\])[A-Za-z]\w{2,}(?![\w(])", selector):
        if word[0] in (
            "else",
            "optional",
            "override",
            "split",
            "and",
            "not",
            "where",
            "ndim",
            "has",
        ):
            continue
        before, behind = selector[: word.start()], selector[word.end() :]
        yield "a module renamed", f"{before}{_respelt(word[0])}{behind}"
        yield "a word misspelt", f"{before}{_misspelt(word[0])}{behind}"
        yield "another case", f"{before}{_recased(word[0])}{behind}"
    for dot in re.finditer(r"\.(?=[\w*{])", selector):
        yield "a dot left out", selector[: dot.start()] + selector[dot.end() :]
    for number in re.finditer(r"(?<![\w.])\d{2,}|(?<=\.)\d+(?=\})", selector):
        cut = number[0][:-1] or "9"
        yield "a number cut short", selector[: number.start()] + cut + selector[number.end() :]
    for name in re.finditer(r"@[\w*.{},?]+", selector):
        for cls in CLASSES:
            if cls not in name[0]:
                changed = f"{selector[: name.start()]}@{cls}{selector[name.end() :]}"
                yield "a wrong class", changed
        lower = selector[: name.start()] + name[0].lower() + selector[name.end() :]
        yield "another case", lower
    for old, new in ((" and ", " or "), (" or ", " and "), ("not ", ""), ("else ", "")):
        if old in selector and selector.strip() != "else":
            yield "a word of the language", selector.replace(old, new, 1)
    for old, new in (("<=", ">="), ("==", "!="), (">=", "<="), ("<", ">")):
        if old in selector:
            yield "a comparison turned round", selector.replace(old, new, 1)
            break


def _respelt(word: str) -> str:
    if "_" in word:
        return word.replace("_", "", 1)
    if any(letter.isupper() for letter in word[1:]):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()
    return f"{word[:-1]}" if word.endswith("s") else f"{word}s"


def _misspelt(word: str) -> str:
    middle = len(word) // 2
    return word[:middle] + word[middle + 1 :]


def _recased(word: str) -> str:
    return word.lower() if word != word.lower() else word.capitalize()


def _swapped_values(lines: list[str]) -> Iterator[tuple[str, int, str]]:
    """Two rules of which each has the other's value of an option."""
    places = [
        (at, found)
        for at, line in enumerate(lines)
        if "->" in line.partition("#")[0]
        for found in re.finditer(
            r"\b(lr|weight_decay|warmup_start)\*?=(\S+)", line.partition("#")[0]
        )
    ]
    for index, (at, one) in enumerate(places):
        for other_at, other in places[index + 1 :]:
            if one[1] == other[1] and one[2] != other[2] and at != other_at:
                changed = list(lines)
                changed[at] = lines[at][: one.start(2)] + other[2] + lines[at][one.end(2) :]
                changed[other_at] = (
                    lines[other_at][: other.start(2)] + one[2] + lines[other_at][other.end(2) :]
                )
                yield "two values swapped", at + 1, "\n".join(changed)
