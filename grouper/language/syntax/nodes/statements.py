"""Statements but rules."""

from __future__ import annotations

from typing import Any, cast

from grouper.language.syntax import codes, tree
from grouper.language.syntax.errors import refuse
from grouper.language.syntax.keywords import KEYWORDS
from grouper.language.syntax.nodes.builder import Builder, unquoted


def let(build: Builder, found: Any) -> tree.Let:
    name, value = found.children
    if name in KEYWORDS:
        refuse(
            codes.RESERVED,
            f"`{name}` is a keyword and cannot name a variable",
            build.span(name),
            "choose another name",
        )
    return tree.Let(
        str(name), build.node(value), name_span=build.span(name), span=build.span(found)
    )


def include(build: Builder, found: Any) -> tree.Include:
    return tree.Include(unquoted(found.children[0]), span=build.span(found))


def for_(build: Builder, found: Any) -> tree.For:
    return tree.For(unquoted(found.children[0]), span=build.span(found))


def base_model(build: Builder, found: Any) -> tree.BaseModel:
    return tree.BaseModel(unquoted(found.children[0]), span=build.span(found))


def tag(build: Builder, found: Any) -> tree.Tag:
    names = tuple(map(str, found.children))
    spans = tuple(map(build.span, found.children))
    return tree.Tag(names, name_spans=spans, span=build.span(found))


def optimizer(build: Builder, found: Any) -> tree.Optimizer:
    name, alias, options = (
        found.children if len(found.children) == 3 else (found.children[0], None, found.children[1])
    )
    given = None if alias is None else str(alias.children[0])
    return tree.Optimizer(str(name), given, build.node(options), span=build.span(found))


def warmup(build: Builder, found: Any) -> tree.Warmup:
    return tree.Warmup(build.node(found.children[0]), span=build.span(found))


def schedule(build: Builder, found: Any) -> tree.Schedule:
    *key, name = [child for child in found.children[:-1] if child is not None]
    return tree.Schedule(
        str(name),
        build.node(found.children[-1]),
        str(key[0]) if key else None,
        key_span=build.span(key[0]) if key else None,
        name_span=build.span(name),
        span=build.span(found),
    )


def split(build: Builder, found: Any) -> tree.Split:
    return tree.Split(str(found.children[0]), (), span=build.span(found))


def strict(build: Builder, found: Any) -> tree.Strict:
    return tree.Strict(span=build.span(found))


def expect(build: Builder, found: Any) -> tree.Expect:
    claim, *after = found.children
    return tree.Expect(build.node(claim), bool(after), span=build.span(found))


def allow(build: Builder, found: Any) -> tree.Allow:
    code, *selector = found.children
    chosen = build.node(selector[0]) if selector and selector[0] is not None else None
    return tree.Allow(str(code), chosen, span=build.span(found))


def claim_comparison(build: Builder, found: Any) -> tree.Comparison:
    left, operator, right = found.children
    return tree.Comparison(
        build.node(left), cast(Any, str(operator)), build.node(right), span=build.span(found)
    )


def claim_between(build: Builder, found: Any) -> tree.Between:
    value, first, last = (build.node(child) for child in found.children)
    return tree.Between(value, first, last, span=build.span(found))


FUNCTIONS = {
    "let": let,
    "include": include,
    "for": for_,
    "base_model": base_model,
    "tag": tag,
    "optimizer": optimizer,
    "warmup": warmup,
    "schedule": schedule,
    "split": split,
    "strict": strict,
    "expect": expect,
    "allow": allow,
    "claim_comparison": claim_comparison,
    "claim_between": claim_between,
}
