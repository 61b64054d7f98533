"""From lark's trees to the syntax tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from lark import Token, Tree

from grouper.language.syntax import codes, tree
from grouper.language.syntax.errors import refuse
from grouper.language.syntax.globs import glob
from grouper.language.syntax.keywords import KEYWORDS
from grouper.language.syntax.regexes import fault
from grouper.text.source import Source, Span

MAX_DEPTH = 100
MAX_NUMBER = 100


class Builder:
    """Builds the nodes of one source; every method is named after a rule of the grammar."""

    def __init__(self, source: Source, offset: int = 0) -> None:
        self.source = source
        self.offset = offset
        self.depth = 0

    def node(self, found: Any) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            refuse(
                codes.LIMIT,
                f"this is nested more than {MAX_DEPTH} levels deep",
                self.span(found),
                "give parts of it names with `let`, or write several rules",
            )
        build = cast(Callable[[Any], Any], getattr(self, f"_{found.data.rstrip('_')}"))
        made = build(found)
        self.depth -= 1
        return made

    def span(self, found: Any) -> Span:
        if isinstance(found, Token):
            assert found.start_pos is not None
            assert found.end_pos is not None
            return Span(self.source, self.offset + found.start_pos, self.offset + found.end_pos)
        meta = found.meta
        return Span(self.source, self.offset + meta.start_pos, self.offset + meta.end_pos)

    # --- statements ---

    def _let(self, found: Any) -> tree.Let:
        name, value = found.children
        if name in KEYWORDS:
            refuse(
                codes.RESERVED,
                f"`{name}` is a keyword and cannot name a variable",
                self.span(name),
                "choose another name",
            )
        return tree.Let(
            str(name), self.node(value), name_span=self.span(name), span=self.span(found)
        )

    def _include(self, found: Any) -> tree.Include:
        return tree.Include(_unquoted(found.children[0]), span=self.span(found))

    def _for(self, found: Any) -> tree.For:
        return tree.For(_unquoted(found.children[0]), span=self.span(found))

    def _base_model(self, found: Any) -> tree.BaseModel:
        return tree.BaseModel(_unquoted(found.children[0]), span=self.span(found))

    def _tag(self, found: Any) -> tree.Tag:
        names = tuple(map(str, found.children))
        spans = tuple(map(self.span, found.children))
        return tree.Tag(names, name_spans=spans, span=self.span(found))

    def _optimizer(self, found: Any) -> tree.Optimizer:
        name, alias, options = (
            found.children
            if len(found.children) == 3
            else (found.children[0], None, found.children[1])
        )
        given = None if alias is None else str(alias.children[0])
        return tree.Optimizer(str(name), given, self.node(options), span=self.span(found))

    def _warmup(self, found: Any) -> tree.Warmup:
        return tree.Warmup(self.node(found.children[0]), span=self.span(found))

    def _schedule(self, found: Any) -> tree.Schedule:
        *key, name = [child for child in found.children[:-1] if child is not None]
        return tree.Schedule(
            str(name),
            self.node(found.children[-1]),
            str(key[0]) if key else None,
            key_span=self.span(key[0]) if key else None,
            name_span=self.span(name),
            span=self.span(found),
        )

    def _split(self, found: Any) -> tree.Split:
        return tree.Split(str(found.children[0]), (), span=self.span(found))

    def _strict(self, found: Any) -> tree.Strict:
        return tree.Strict(span=self.span(found))

    def _expect(self, found: Any) -> tree.Expect:
        claim, *after = found.children
        return tree.Expect(self.node(claim), bool(after), span=self.span(found))

    def _allow(self, found: Any) -> tree.Allow:
        code, *selector = found.children
        chosen = self.node(selector[0]) if selector and selector[0] is not None else None
        return tree.Allow(str(code), chosen, span=self.span(found))

    def _claim_comparison(self, found: Any) -> tree.Comparison:
        left, operator, right = found.children
        return tree.Comparison(
            self.node(left), cast(Any, str(operator)), self.node(right), span=self.span(found)
        )

    def _claim_between(self, found: Any) -> tree.Between:
        value, first, last = (self.node(child) for child in found.children)
        return tree.Between(value, first, last, span=self.span(found))

    # --- rules ---

    def _rule(self, found: Any) -> tree.Rule:
        words = [c.type for c in found.children if isinstance(c, Token)]
        parts = [c for c in found.children if isinstance(c, Tree)]
        options = self.node(parts.pop())
        label = self.node(parts.pop()) if parts and parts[-1].data == "label" else None
        condition = self.node(parts.pop().children[0]) if parts and _is_where(parts[-1]) else None
        selector = self.node(parts.pop()) if parts else None
        rule = tree.Rule(
            selector,
            label,
            options,
            "ELSE" in words,
            "OVERRIDE" in words,
            condition,
            "OPTIONAL" in words,
            span=self.span(found),
        )
        if selector is None and not rule.otherwise:
            refuse(
                codes.SYNTAX,
                "a rule begins with a selector, and this one has none",
                Span(self.source, self.span(found).start, self.span(found).start + 2),
                "write which parameters it is for; `*` is all of them",
            )
        if label is None and not options:
            refuse(
                codes.EMPTY_RULE,
                "a rule needs a label or an option behind `->`",
                self.span(found),
                "give it a label (`-> head`), an option (`-> lr=0.01`), or `freeze`",
            )
        return rule

    def _label(self, found: Any) -> tree.Label:
        token = found.children[0]
        if token in KEYWORDS:
            refuse(
                codes.RESERVED,
                f"`{token}` is a keyword and cannot be a label",
                self.span(token),
                "choose another label",
            )
        if token.type == "STRING":
            text = tree.Text(_unquoted(token), span=self.span(token))
            return tree.Label((text,), span=self.span(token))
        start = self.span(token).start
        pieces: list[tree.Text | tree.Word] = []
        for piece in re.finditer(r"\{(\w+)\}|[^{]+", token):
            span = Span(self.source, start + piece.start(), start + piece.end())
            capture = piece.group(1)
            pieces.append(
                tree.Word(capture, span=span) if capture else tree.Text(piece.group(), span=span)
            )
        return tree.Label(tuple(pieces), span=self.span(token))

    def _options(self, found: Any) -> tuple[tree.Option, ...]:
        return tuple(self.node(child) for child in found.children)

    def _option(self, found: Any) -> tree.Option:
        key, operator, value = found.children
        return tree.Option(
            str(key),
            cast(Any, str(operator)),
            self.node(value),
            key_span=self.span(key),
            span=self.span(found),
        )

    def _flag(self, found: Any) -> tree.Option:
        key = found.children[0]
        span = self.span(key)
        return tree.Option(
            str(key), "flag", tree.Constant(True, span=span), key_span=span, span=span
        )

    # --- selectors ---

    def _or(self, found: Any) -> tree.Or:
        return tree.Or(tuple(self.node(c) for c in found.children), span=self.span(found))

    def _and(self, found: Any) -> tree.And:
        return tree.And(tuple(self.node(c) for c in found.children), span=self.span(found))

    _any, _all = _or, _and

    def _none_of(self, found: Any) -> tree.Not:
        return tree.Not(self.node(found.children[0]), span=self.span(found))

    def _has(self, found: Any) -> tree.Has:
        return tree.Has(str(found.children[0]), span=self.span(found))

    def _negation(self, found: Any) -> tree.Not:
        return tree.Not(self.node(found.children[0]), span=self.span(found))

    def _glob(self, found: Any) -> tree.Glob:
        return glob(self.span(found.children[0]))

    def _regex(self, found: Any) -> tree.Regex:
        token = found.children[0]
        pattern = re.sub(r"\\/", "/", token[1:-1])
        wrong = fault(pattern)
        if wrong is not None:
            code = codes.COSTLY_REGEX if wrong.costly else codes.BAD_REGEX
            refuse(code, wrong.message, self.span(token), wrong.help)
        return tree.Regex(pattern, span=self.span(token))

    def _exact(self, found: Any) -> tree.Exact:
        token = found.children[0]
        return tree.Exact(_unquoted(token), span=self.span(token))

    def _class_name(self, found: Any) -> tree.ClassName:
        span = self.span(found.children[0])
        return tree.ClassName(glob(Span(self.source, span.start + 1, span.end)), span=span)

    def _within(self, found: Any) -> tree.Within:
        module = self.node(found.children[0])
        if isinstance(module, tree.Regex):
            refuse(
                codes.SYNTAX,
                "`in` takes a module's path or class, not a regex",
                self.span(found),
                "write the path as a glob (`in model.24`) or the class (`in @Detect`)",
            )
        return tree.Within(module, span=self.span(found))

    def _comparison(self, found: Any) -> tree.Comparison:
        fact, operator, right = found.children
        left = tree.Word(str(fact), span=self.span(fact))
        return tree.Comparison(
            left, cast(Any, str(operator)), self.node(right), span=self.span(found)
        )

    def _shape_comparison(self, found: Any) -> tree.Comparison:
        shape, index, operator, right = found.children
        word = tree.Word(str(shape), span=self.span(shape))
        left = tree.Subscript(word, self.node(index), span=self.span(shape))
        return tree.Comparison(
            left, cast(Any, str(operator)), self.node(right), span=self.span(found)
        )

    def _property(self, found: Any) -> tree.Flag:
        return tree.Flag(cast(Any, str(found.children[0])), span=self.span(found))

    # --- expressions ---

    def _number(self, found: Any) -> tree.Number:
        token = found.children[0]
        if len(token) > MAX_NUMBER:
            refuse(
                codes.LIMIT,
                f"a number has at most {MAX_NUMBER} characters, and this one has {len(token)}",
                self.span(token),
                "write it with an exponent, such as `1e6`",
            )
        whole = token.isdigit()
        return tree.Number(int(token) if whole else float(token), str(token), span=self.span(token))

    def _string(self, found: Any) -> tree.String:
        return tree.String(_unquoted(found.children[0]), span=self.span(found))

    def _constant(self, found: Any) -> tree.Constant:
        value = {"true": True, "false": False, "none": None}[str(found.children[0])]
        return tree.Constant(value, span=self.span(found))

    def _word(self, found: Any) -> tree.Word:
        return tree.Word(str(found.children[0]), span=self.span(found))

    def _attribute(self, found: Any) -> tree.Attribute:
        label, _, key = found.children[0].partition(".")
        return tree.Attribute(label, key, span=self.span(found))

    def _quoted_attribute(self, found: Any) -> tree.Attribute:
        label, key = found.children
        return tree.Attribute(_unquoted(label), str(key), span=self.span(found))

    def _call(self, found: Any) -> tree.Call:
        function, *arguments = found.children
        given = tuple(self.node(a) for a in arguments if a is not None)
        return tree.Call(str(function), given, span=self.span(found))

    def _subscript(self, found: Any) -> tree.Subscript:
        name, index = found.children
        word = tree.Word(str(name), span=self.span(name))
        return tree.Subscript(word, self.node(index), span=self.span(found))

    def _attribute_subscript(self, found: Any) -> tree.Subscript:
        reference, index = found.children
        label, _, key = reference.partition(".")
        attribute = tree.Attribute(label, key, span=self.span(reference))
        return tree.Subscript(attribute, self.node(index), span=self.span(found))

    def _configured(self, found: Any) -> tree.Configured:
        name, *options = found.children
        return tree.Configured(
            str(name), tuple(self.node(option) for option in options), span=self.span(found)
        )

    def _tuple(self, found: Any) -> tree.Tuple:
        return tree.Tuple(tuple(self.node(c) for c in found.children), span=self.span(found))

    def _unary(self, found: Any) -> tree.Unary:
        operator, operand = found.children
        return tree.Unary(cast(Any, str(operator)), self.node(operand), span=self.span(found))

    def _binary(self, found: Any) -> tree.Binary:
        left, operator, right = found.children
        return tree.Binary(
            cast(Any, str(operator)), self.node(left), self.node(right), span=self.span(found)
        )


def _is_where(found: Any) -> bool:
    return bool(found.data == "where")


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])
