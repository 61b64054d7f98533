"""The pieces of a glob, from its text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NoReturn

from lark.exceptions import UnexpectedInput
from lark.lexer import Token
from lark.tree import Tree

from grouper.language.syntax import codes, tree
from grouper.language.syntax.errors import refuse
from grouper.language.syntax.grammar import parser
from grouper.text.source import Span

MAX_ALTERNATIVES = 10_000
_WHOLE = re.compile(r"\{(?:([^\W\d]\w*):)?(\d+)\.\.(\d+)\}|\{([^\W\d]\w*)\}")


def glob(span: Span) -> tree.Glob:
    """The glob that a span holds; raises Faulty where it makes no sense."""
    try:
        pattern = _parsed(span.text)
    except UnexpectedInput as error:
        _refuse(span, error)
    made = _glob(pattern, span)
    if alternatives(made) > MAX_ALTERNATIVES:
        refuse(
            codes.LIMIT,
            f"`{_short(span.text)}` stands for more than {MAX_ALTERNATIVES:,} alternatives",
            span,
            "use `*`, a range (`{0..9}`), or several rules",
        )
    return made


def alternatives(made: tree.Glob) -> int:
    """How many globs without alternatives a glob stands for."""
    count = 1
    for piece in made.pieces:
        if isinstance(piece, tree.Alternatives):
            count *= sum(alternatives(option) for option in piece.options)
    return count


@lru_cache(maxsize=10_000)  # an editor's globs are many: one for each character typed
def _parsed(text: str) -> Tree[Any]:
    return parser().parse(text, start="pattern")


def _glob(pattern: Tree[Any], whole: Span) -> tree.Glob:
    pieces = tuple(_piece(child, whole) for child in pattern.children)
    span = _within(whole, pattern) if pieces else None
    return tree.Glob(pieces, span=span)


def _piece(found: Tree[Any], whole: Span) -> tree.Piece:
    span = _within(whole, found)
    if found.data == "any_run":
        return tree.Star(span=span)
    if found.data == "any_one":
        return tree.QuestionMark(span=span)
    if found.data == "alternatives":
        options = tuple(_glob(child, whole) for child in found.children)
        return tree.Alternatives(options, span=span)
    token = found.children[0]
    assert isinstance(token, Token)
    if found.data == "characters":
        return tree.Text(str(token), span=span)
    if found.data == "one_of":
        return _one_of(str(token), span)
    return _whole(str(token), span)


def _one_of(text: str, span: Span) -> tree.CharacterClass:
    inside = text[1:-1]
    negated = inside.startswith("!") and len(inside) > 1
    ranges = []
    for found in re.finditer(r"(.)-(.)|(.)", inside[negated:], re.DOTALL):
        first, last = (found[1], found[2]) if found[1] else (found[3], found[3])
        if first > last:
            refuse(
                codes.BAD_PATTERN,
                f"the range `{first}-{last}` is empty",
                span,
                f"write `{last}-{first}`",
            )
        ranges.append((first, last))
    return tree.CharacterClass(tuple(ranges), negated, span=span)


def _whole(text: str, span: Span) -> tree.Integer:
    found = _WHOLE.fullmatch(text)
    assert found is not None
    name, first, last, bare = found.groups()
    if bare:
        return tree.Integer(bare, span=span)
    if max(len(first), len(last)) > 18:
        refuse(codes.LIMIT, "a range's numbers have at most 18 digits", span)
    low, high = int(first), int(last)
    if low > high:
        refuse(
            codes.BAD_PATTERN,
            f"the range `{low}..{high}` is empty",
            span,
            f"put the smaller number first: `{high}..{low}`",
        )
    return tree.Integer(name, low, high, span=span)


def _within(whole: Span, found: Tree[Any]) -> Span:
    start, end = found.meta.start_pos, found.meta.end_pos
    return Span(whole.source, whole.start + start, whole.start + end)


def _refuse(span: Span, error: UnexpectedInput) -> NoReturn:
    at = error.pos_in_stream if error.pos_in_stream is not None else len(span.text) - 1
    opening = span.text.rfind("{", 0, at + 1)
    inside = span.text[opening:]
    place = Span(span.source, span.start + min(max(at, 0), len(span.text) - 1), span.end)
    if opening >= 0:
        closing = inside.find("}")
        end = span.start + opening + closing + 1 if closing >= 0 else span.end
        place = Span(span.source, span.start + opening, end)
    refuse(
        codes.BAD_PATTERN,
        f"`{_short(place.text)}` is not part of a glob",
        place,
        "braces hold alternatives (`{a,b}`), a range (`{0..9}`), or a capture (`{i}`, `{i:0..9}`)",
        _as_range(place.text),
    )


def _as_range(text: str) -> str | None:
    """`{0-5}` or `{0:5}` as it is written here."""
    found = re.fullmatch(r"\{(\d+)[-:](\d+)\}", text)
    return f"{{{found[1]}..{found[2]}}}" if found and int(found[1]) < int(found[2]) else None


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
