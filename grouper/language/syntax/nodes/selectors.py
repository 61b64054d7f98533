"""Selectors."""

from __future__ import annotations

import re
from typing import Any, cast

from grouper.language.syntax import codes, tree
from grouper.language.syntax.errors import refuse
from grouper.language.syntax.globs import glob
from grouper.language.syntax.nodes.builder import Builder, unquoted
from grouper.language.syntax.regexes import fault
from grouper.text.source import Span


def or_(build: Builder, found: Any) -> tree.Or:
    return tree.Or(tuple(build.node(c) for c in found.children), span=build.span(found))


def and_(build: Builder, found: Any) -> tree.And:
    return tree.And(tuple(build.node(c) for c in found.children), span=build.span(found))


def has(build: Builder, found: Any) -> tree.Has:
    return tree.Has(str(found.children[0]), span=build.span(found))


def negation(build: Builder, found: Any) -> tree.Not:
    return tree.Not(build.node(found.children[0]), span=build.span(found))


def glob_(build: Builder, found: Any) -> tree.Glob:
    return glob(build.span(found.children[0]))


def regex(build: Builder, found: Any) -> tree.Regex:
    token = found.children[0]
    pattern = re.sub(r"\\/", "/", token[1:-1])
    wrong = fault(pattern)
    if wrong is not None:
        code = codes.COSTLY_REGEX if wrong.costly else codes.BAD_REGEX
        refuse(code, wrong.message, build.span(token), wrong.help)
    return tree.Regex(pattern, span=build.span(token))


def exact(build: Builder, found: Any) -> tree.Exact:
    token = found.children[0]
    return tree.Exact(unquoted(token), span=build.span(token))


def class_name(build: Builder, found: Any) -> tree.ClassName:
    span = build.span(found.children[0])
    return tree.ClassName(glob(Span(build.source, span.start + 1, span.end)), span=span)


def within(build: Builder, found: Any) -> tree.Within:
    module = build.node(found.children[0])
    if isinstance(module, tree.Regex):
        refuse(
            codes.SYNTAX,
            "`in` takes a module's path or class, not a regex",
            build.span(found),
            "write the path as a glob (`in model.24`) or the class (`in @Detect`)",
        )
    return tree.Within(module, span=build.span(found))


def comparison(build: Builder, found: Any) -> tree.Comparison:
    fact, operator, right = found.children
    left = tree.Word(str(fact), span=build.span(fact))
    return tree.Comparison(
        left, cast(Any, str(operator)), build.node(right), span=build.span(found)
    )


def shape_comparison(build: Builder, found: Any) -> tree.Comparison:
    shape, index, operator, right = found.children
    word = tree.Word(str(shape), span=build.span(shape))
    left = tree.Subscript(word, build.node(index), span=build.span(shape))
    return tree.Comparison(
        left, cast(Any, str(operator)), build.node(right), span=build.span(found)
    )


def property(build: Builder, found: Any) -> tree.Flag:
    return tree.Flag(cast(Any, str(found.children[0])), span=build.span(found))


FUNCTIONS = {
    "or": or_,
    "and": and_,
    "none_of": negation,
    "has": has,
    "negation": negation,
    "glob": glob_,
    "regex": regex,
    "exact": exact,
    "class_name": class_name,
    "within": within,
    "comparison": comparison,
    "shape_comparison": shape_comparison,
    "property": property,
    "any": or_,
    "all": and_,
}
