"""Formats Python source like `ruff format`, with lines of 100 columns."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.text.dataclass import dataclass

WIDTH = 100
INDENT = "    "


@dataclass(frozen=True)
class Brackets:
    """Items in brackets: a list, a dictionary or a call. `before` ends with the opening bracket,
    `after` begins with the closing one. If `exploded`, it is never put on one line."""

    before: str
    items: tuple[Code, ...]
    after: str
    exploded: bool = False


Code = str | Brackets


def listed(before: str, items: Iterable[Code], exploded: bool = False) -> Brackets:
    return Brackets(f"{before}[", tuple(items), "]", exploded)


def mapped(before: str, items: Iterable[Code], exploded: bool = False) -> Brackets:
    return Brackets(f"{before}{{", tuple(items), "}", exploded)


def called(before: str, items: Iterable[Code]) -> Brackets:
    return Brackets(f"{before}(", tuple(items), ")")


def lines(code: Code, depth: int = 0, tail: str = "") -> list[str]:
    """The code on one line if it fits, otherwise one item per line with a trailing comma, like
    `ruff format`. `tail` is appended to the last line."""
    indent = INDENT * depth
    flat = None if _exploded(code) else f"{indent}{_flat(code)}{tail}"
    if isinstance(code, str) or (flat is not None and len(flat) <= WIDTH):
        text = flat or ""
        long = len(text) > WIDTH and len(text.split()) > 1  # ruff allows a single word
        return [f"{text}  # noqa: E501" if long else text]
    inner = [line for item in code.items for line in lines(item, depth + 1, ",")]
    return [f"{indent}{code.before}", *inner, f"{indent}{code.after}{tail}"]


def quoted(text: str) -> str:
    """A string literal, with control and other unprintable characters escaped."""
    body = repr(f'"{text}')[2:-1]  # because of the `"`, repr uses single quotes
    body = body.replace("\\'", "'")
    if body.count('"') > body.count("'"):
        return "'" + body.replace("'", "\\'") + "'"
    return '"' + body.replace('"', '\\"') + '"'


def literal(value: object) -> str:
    """The value of an option as a Python literal."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, tuple):
        items = ", ".join(map(literal, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    return repr(value)


def _exploded(code: Code) -> bool:
    return isinstance(code, Brackets) and (code.exploded or any(map(_exploded, code.items)))


def _flat(code: Code) -> str:
    if isinstance(code, str):
        return code
    return f"{code.before}{', '.join(map(_flat, code.items))}{code.after}"
