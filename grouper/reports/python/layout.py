"""Python source laid out as `ruff format` has it, for lines of 100 columns."""

from __future__ import annotations

from collections.abc import Iterable

from grouper.text.dataclass import dataclass

WIDTH = 100
INDENT = "    "


@dataclass(frozen=True)
class Brackets:
    """Something with items in brackets: a list, a dictionary, a call. `before` ends with the
    opening bracket, `after` begins with the closing one. With `exploded`, never in one line."""

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
    """The code in one line where it fits, else an item a line, each with its comma: this is how
    `ruff format` leaves it, too. `tail` is what follows in the last line."""
    indent = INDENT * depth
    flat = None if _exploded(code) else f"{indent}{_flat(code)}{tail}"
    if isinstance(code, str) or (flat is not None and len(flat) <= WIDTH):
        text = flat or ""
        long = len(text) > WIDTH and len(text.split()) > 1  # one word alone is forgiven
        return [f"{text}  # noqa: E501" if long else text]
    inner = [line for item in code.items for line in lines(item, depth + 1, ",")]
    return [f"{indent}{code.before}", *inner, f"{indent}{code.after}{tail}"]


def quoted(text: str) -> str:
    """A string literal, with everything escaped that a terminal or an editor could fall for."""
    body = repr(f'"{text}')[2:-1]  # repr takes single quotes around it, and escapes those inside
    body = body.replace("\\'", "'")
    if body.count('"') > body.count("'"):
        return "'" + body.replace("'", "\\'") + "'"
    return '"' + body.replace('"', '\\"') + '"'


def literal(value: object) -> str:
    """A value of an option as Python has it."""
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
