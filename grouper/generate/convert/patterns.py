"""Selectors that match what other systems' patterns match: substrings, regexes and shell globs."""

from __future__ import annotations

import re
from fnmatch import translate
from itertools import groupby
from typing import Any, Literal

from grouper.generate.convert.converted import Pattern
from grouper.generate.convert.errors import ConvertError
from grouper.language.syntax import tree
from grouper.language.syntax.parser import parse_selector
from grouper.language.syntax.regexes import fault
from grouper.language.syntax.unparse import selector_text

How = Literal["search", "match", "fullmatch"]
_FLAGS = re.compile(r"\(\?[aiLmsux]+\)")
_SIMPLE = re.compile(r"\\[.:-]|[\w:-]|\.\*\??")  # a character, or a run of any
_TEXT = re.compile(r"[\w.:-]*")
_SHELL = re.compile(r"\[[!]?\]?[^\]]*\]|.", re.DOTALL)  # a class, or a character
_SHELL_PART = {"*": ".*", "?": "."}
STAR = tree.Star()


def containing(text: str) -> Pattern:
    """Every name that contains the text."""
    if not text:
        return Pattern(text, tree.Glob((STAR,)))
    return Pattern(text, _glob([STAR, text, STAR]) or regex_selector(re.escape(text), text))


def owned(name: str) -> tree.Selector:
    """Every parameter whose own name, without its module's, is this: `bias` and `*.bias`."""
    if not _TEXT.fullmatch(name) or not name:
        return regex_selector(rf"(?:^|\.){re.escape(name)}$", name)
    options = (tree.Glob((tree.Text(name),)), tree.Glob((STAR, tree.Text(f".{name}"))))
    return tree.Glob((tree.Alternatives(options),))


def regex(pattern: str, how: How, place: str) -> Pattern:
    """What `re.search`, `re.match` or `re.fullmatch` finds. Simple ones become globs.

    Raises ConvertError for what `re` refuses, and for what it could search forever.
    """
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConvertError(f"`{place}`: `re` does not accept `{pattern}`: {error}") from None
    pieces = _pieces(pattern, how)
    found = _glob(pieces) if pieces is not None else None
    return Pattern(pattern, found or regex_selector(_anchored(pattern, how), place))


def shell(pattern: str) -> Pattern:
    """What `fnmatch` matches: its `?` and its negated classes take dots, which a glob's do not."""
    pieces = [STAR if part == "*" else part for part in re.split(r"(\*)", pattern) if part]
    return Pattern(pattern, _glob(pieces) or regex_selector(_translated(pattern), pattern))


def regex_selector(pattern: str, place: str) -> tree.Selector:
    """`/pattern/`, where grouper can search it."""
    pattern = re.sub(r"\(\?P<\w+>", "(", pattern) if "(?P=" not in pattern else pattern
    found = fault(pattern)
    if found is not None:
        raise ConvertError(f"`{place}`: {found.message}; {found.help}")
    selector = tree.Regex(pattern)
    if not _reads_back(selector):
        raise ConvertError(f"`{place}`: rules cannot hold the regex `{pattern}`")
    return selector


def _glob(pieces: list[Any]) -> tree.Selector | None:
    """A glob of texts and stars; None where it would not read back as such."""
    made: list[tree.Piece] = []
    for star, run in groupby(pieces, key=lambda piece: isinstance(piece, tree.Star)):
        text = "" if star else "".join(run)
        if not _TEXT.fullmatch(text):
            return None
        made += [STAR] if star else [tree.Text(text)]
    selector = tree.Glob(tuple(made))
    return selector if made and _reads_back(selector) else None


def _reads_back(selector: tree.Selector) -> bool:
    try:
        return parse_selector(selector_text(selector)) == selector
    except ValueError:
        return False


def _pieces(pattern: str, how: How) -> list[Any] | None:
    """The texts and stars of a regex that has only characters, `.*` and anchors."""
    inside = pattern.removeprefix("^")
    begins = inside != pattern or how != "search"
    ends = inside.endswith("$") and not inside.endswith("\\$")
    inside = inside.removesuffix("$") if ends else inside
    pieces: list[Any] = [] if begins else [STAR]
    at = 0
    while at < len(inside):
        found = _SIMPLE.match(inside, at)
        if found is None:
            return None
        pieces.append(STAR if found[0].startswith(".") else found[0].removeprefix("\\"))
        at = found.end()
    return pieces if ends or how == "fullmatch" else [*pieces, STAR]


def _anchored(pattern: str, how: How) -> str:
    flags = _FLAGS.match(pattern)
    head, body = (flags[0], pattern[flags.end() :]) if flags else ("", pattern)
    if how == "search":
        return head + body
    inside = f"(?:{body})" if "|" in body else body
    return f"{head}^{inside}$" if how == "fullmatch" else f"{head}^{inside}"


def _translated(pattern: str) -> str:
    """A shell pattern as a regex over the whole name."""
    parts = (_SHELL_PART[p] if p in _SHELL_PART else _text(p) for p in _SHELL.findall(pattern))
    return f"^{re.sub(r'(?:[.][*])+', '.*', ''.join(parts))}$"


def _text(part: str) -> str:
    """A character, or a class as `fnmatch` reads it: `^` is nothing special there."""
    if len(part) == 1:
        return re.escape(part)
    whole = re.fullmatch(r"\(\?s:(.*)\)\\[zZ]", translate(part), re.DOTALL)
    return whole[1] if whole else re.escape(part)
