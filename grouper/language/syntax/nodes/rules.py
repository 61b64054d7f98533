"""Rules: labels and options."""

from __future__ import annotations

import re
from typing import Any, cast

from lark.lexer import Token
from lark.tree import Tree

from grouper.language.syntax import codes, tree
from grouper.language.syntax.errors import refuse
from grouper.language.syntax.keywords import KEYWORDS
from grouper.language.syntax.nodes.builder import Builder, unquoted
from grouper.text.source import Span


def rule(build: Builder, found: Any) -> tree.Rule:
    words = [c.type for c in found.children if isinstance(c, Token)]
    parts = [c for c in found.children if isinstance(c, Tree)]
    options = build.node(parts.pop())
    label = build.node(parts.pop()) if parts and parts[-1].data == "label" else None
    condition = build.node(parts.pop().children[0]) if parts and parts[-1].data == "where" else None
    selector = build.node(parts.pop()) if parts else None
    rule = tree.Rule(
        selector,
        label,
        options,
        "ELSE" in words,
        "OVERRIDE" in words,
        condition,
        "OPTIONAL" in words,
        span=build.span(found),
    )
    if selector is None and not rule.otherwise:
        refuse(
            codes.SYNTAX,
            "a rule begins with a selector, and this one has none",
            Span(build.source, build.span(found).start, build.span(found).start + 2),
            "write which parameters it is for; `*` is all of them",
        )
    if label is None and not options:
        refuse(
            codes.EMPTY_RULE,
            "a rule needs a label or an option after `->`",
            build.span(found),
            "give it a label (`-> head`), an option (`-> lr=0.01`), or `freeze`",
        )
    return rule


def label(build: Builder, found: Any) -> tree.Label:
    token = found.children[0]
    if token in KEYWORDS:
        refuse(
            codes.RESERVED,
            f"`{token}` is a keyword and cannot be a label",
            build.span(token),
            "choose another label",
        )
    if token.type == "STRING":
        text = tree.Text(unquoted(token), span=build.span(token))
        return tree.Label((text,), span=build.span(token))
    start = build.span(token).start
    pieces: list[tree.Text | tree.Word] = []
    for piece in re.finditer(r"\{(\w+)\}|[^{]+", token):
        span = Span(build.source, start + piece.start(), start + piece.end())
        capture = piece.group(1)
        pieces.append(
            tree.Word(capture, span=span) if capture else tree.Text(piece.group(), span=span)
        )
    return tree.Label(tuple(pieces), span=build.span(token))


def options(build: Builder, found: Any) -> tuple[tree.Option, ...]:
    return tuple(build.node(child) for child in found.children)


def option(build: Builder, found: Any) -> tree.Option:
    key, operator, value = found.children
    return tree.Option(
        str(key),
        cast(Any, str(operator)),
        build.node(value),
        key_span=build.span(key),
        span=build.span(found),
    )


def flag(build: Builder, found: Any) -> tree.Option:
    key = found.children[0]
    span = build.span(key)
    return tree.Option(str(key), "flag", tree.Constant(True, span=span), key_span=span, span=span)


FUNCTIONS = {
    "rule": rule,
    "label": label,
    "options": options,
    "option": option,
    "flag": flag,
}
