"""The variables of a file, and the values of the expressions that use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouper.language.arithmetic import CONSTANTS, FUNCTIONS, is_finite
from grouper.language.expressions import BASE_MODEL, OF_CAPTURES, OF_LABELS, Scope, evaluate
from grouper.language.facts import FACTS
from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Diagnostics
from grouper.language.resolve.walk import words
from grouper.language.syntax import tree
from grouper.language.value_errors import BadValue
from grouper.options.values import Value, value_text
from grouper.text.printable import shortened
from grouper.text.similar import did_you_mean
from grouper.text.source import Span

RESERVED = frozenset({*FACTS, *FUNCTIONS, *CONSTANTS, *OF_CAPTURES, *OF_LABELS, BASE_MODEL})


class _Invalid:
    """The value of an expression whose problem is reported already."""


INVALID: Any = _Invalid()


class Variables:
    """The variables so far, and which of them are used. `overrides` are a caller's values."""

    def __init__(self, diagnostics: Diagnostics, overrides: Mapping[str, Value]) -> None:
        self._diagnostics = diagnostics
        self.overrides = overrides
        self.values: dict[str, Value] = {}
        self.lets: dict[str, tree.Let] = {}
        self.used: set[str] = set()

    def declare(self, let: tree.Let, later: Mapping[str, tree.Let]) -> None:
        """Declare a `let`; `later` are those further down, which its value may not use."""
        report = self._diagnostics.report
        if let.name in self.lets:
            first = self.lets[let.name]
            what = f"the variable `{let.name}`"
            self._diagnostics.twice(what, let.name_span, first.name_span, _one_of(let, first))
            return
        if let.name in RESERVED:
            message = f"`{let.name}` is a fact or a function, and cannot name a variable"
            report(codes.DUPLICATE, message, let.name_span, "choose another name")
            return
        self.lets[let.name] = let
        below = [word for word, _ in words(let.value) if word.name in later]
        for word in below:
            if word.name not in self.values:
                report(
                    codes.UNKNOWN_NAME,
                    f"`{word.name}` is declared further down",
                    word.span,
                    f"move `let {word.name} = ...` above this line",
                    also=later[word.name].name_span,
                )
        undeclared = any(word.name not in self.values for word in below)
        value = INVALID if undeclared else self.value(let.value)
        self.values[let.name] = self._overridden(let, value)

    def known(self) -> dict[str, Value]:
        """The values of the variables that have one."""
        return {name: value for name, value in self.values.items() if value is not INVALID}

    def spans(self) -> dict[str, Span]:
        """The places of the variables whose values are the file's and not a caller's."""
        own = ((name, let.name_span) for name, let in self.lets.items())
        return {name: span for name, span in own if span and name not in self.overrides}

    def _overridden(self, let: tree.Let, value: Any) -> Any:
        """The caller's value of a variable, else the file's; INVALID, reported, if infinite."""
        given = self.overrides.get(let.name, value)
        if let.name in self.overrides and not _is_finite(given):
            self._diagnostics.report(
                codes.BAD_VALUE,
                f"`{let.name}` is set to `{shortened(value_text(given))}` by the caller, which is"
                " not a finite number",
                let.name_span,
                "correct the value",
            )
            return INVALID
        return given

    def use(self, word: tree.Word) -> bool:
        """Whether a word is a variable; it is then used."""
        if word.name not in self.values:
            return False
        self.used.add(word.name)
        return True

    def value(self, expression: tree.Expression) -> Any:
        """The value of an expression of variables; INVALID, reported, where it has none."""
        named = [word for word, _ in words(expression)]
        for word in named:
            self.use(word)
        if any(self.values.get(word.name) is INVALID for word in named):
            return INVALID
        try:
            return evaluate(expression, Scope(self.values))
        except BadValue as error:
            unknown = [word.name for word in named if word.name not in self.values]
            hints = (did_you_mean(name, self.values) for name in unknown)
            help = error.help or next((hint for hint in hints if hint), "correct the value")
            self._diagnostics.report(codes.BAD_VALUE, error.message, error.span, help)
            return INVALID


def _is_finite(value: Value) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, int | float) or is_finite(value)


def _one_of(let: tree.Let, first: tree.Let) -> str:
    """A way out; a file cannot change a variable of one that it includes, but its caller can."""
    here, there = let.name_span, first.name_span
    if here is None or there is None or here.source is there.source:
        return "keep one of them"
    return f"keep one of them; `--set {let.name}=...` gives an included variable another value"
