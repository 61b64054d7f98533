"""Values and expressions."""

from __future__ import annotations

from typing import Any, cast

from grouper.language.syntax import codes, tree
from grouper.language.syntax.errors import refuse
from grouper.language.syntax.nodes.builder import Builder, unquoted

MAX_NUMBER = 100


def number(build: Builder, found: Any) -> tree.Number:
    token = found.children[0]
    if len(token) > MAX_NUMBER:
        refuse(
            codes.LIMIT,
            f"a number has at most {MAX_NUMBER} characters, and this one has {len(token)}",
            build.span(token),
            "write it with an exponent, such as `1e6`",
        )
    whole = token.isdigit()
    return tree.Number(int(token) if whole else float(token), str(token), span=build.span(token))


def string(build: Builder, found: Any) -> tree.String:
    return tree.String(unquoted(found.children[0]), span=build.span(found))


def constant(build: Builder, found: Any) -> tree.Constant:
    value = {"true": True, "false": False, "none": None}[str(found.children[0])]
    return tree.Constant(value, span=build.span(found))


def word(build: Builder, found: Any) -> tree.Word:
    return tree.Word(str(found.children[0]), span=build.span(found))


def attribute(build: Builder, found: Any) -> tree.Attribute:
    label, _, key = found.children[0].partition(".")
    return tree.Attribute(label, key, span=build.span(found))


def quoted_attribute(build: Builder, found: Any) -> tree.Attribute:
    label, key = found.children
    return tree.Attribute(unquoted(label), str(key), span=build.span(found))


def call(build: Builder, found: Any) -> tree.Call:
    function, *arguments = found.children
    given = tuple(build.node(a) for a in arguments if a is not None)
    return tree.Call(str(function), given, span=build.span(found))


def subscript(build: Builder, found: Any) -> tree.Subscript:
    name, index = found.children
    word = tree.Word(str(name), span=build.span(name))
    return tree.Subscript(word, build.node(index), span=build.span(found))


def attribute_subscript(build: Builder, found: Any) -> tree.Subscript:
    reference, index = found.children
    label, _, key = reference.partition(".")
    attribute = tree.Attribute(label, key, span=build.span(reference))
    return tree.Subscript(attribute, build.node(index), span=build.span(found))


def configured(build: Builder, found: Any) -> tree.Configured:
    name, *options = found.children
    return tree.Configured(
        str(name), tuple(build.node(option) for option in options), span=build.span(found)
    )


def tuple_(build: Builder, found: Any) -> tree.Tuple:
    return tree.Tuple(tuple(build.node(c) for c in found.children), span=build.span(found))


def unary(build: Builder, found: Any) -> tree.Unary:
    operator, operand = found.children
    return tree.Unary(cast(Any, str(operator)), build.node(operand), span=build.span(found))


def binary(build: Builder, found: Any) -> tree.Binary:
    left, operator, right = found.children
    return tree.Binary(
        cast(Any, str(operator)), build.node(left), build.node(right), span=build.span(found)
    )


FUNCTIONS = {
    "number": number,
    "string": string,
    "constant": constant,
    "word": word,
    "attribute": attribute,
    "quoted_attribute": quoted_attribute,
    "call": call,
    "subscript": subscript,
    "attribute_subscript": attribute_subscript,
    "configured": configured,
    "tuple": tuple_,
    "unary": unary,
    "binary": binary,
}
