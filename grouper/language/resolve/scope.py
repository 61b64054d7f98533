"""Names and values: variables, captures, functions, and what expressions come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grouper.findings import Edit, Finding, Label
from grouper.language.expressions import FACTS, FUNCTIONS, BadValue, Scope, evaluate
from grouper.language.resolve import codes
from grouper.language.resolve.diagnostics import Faults
from grouper.language.resolve.walk import calls, comparisons, words
from grouper.language.syntax import tree
from grouper.options.kinds import Constraint
from grouper.options.misspelt import misspelt
from grouper.options.schedules import SCHEDULES
from grouper.options.values import Value, quoted_value
from grouper.text.similar import similar


class _Faulty:
    """The value of an expression whose fault is reported already."""


INVALID: Any = _Faulty()


class Names(Faults):
    """The variables so far, and who uses them. `overrides` are a caller's values for them."""

    def __init__(self, overrides: Mapping[str, Value]) -> None:
        super().__init__()
        self.overrides = overrides
        self.variables: dict[str, Value] = {}
        self.lets: dict[str, tree.Let] = {}
        self.used: set[str] = set()

    def _let(self, let: tree.Let) -> None:
        if let.name in self.lets:
            self.twice(f"the variable `{let.name}`", let.name_span, self.lets[let.name].name_span)
            return
        if let.name in FACTS or let.name in FUNCTIONS:
            self.report(
                codes.DUPLICATE,
                f"`{let.name}` is a fact or a function, and cannot name a variable",
                let.name_span,
                "choose another name",
            )
            return
        self.lets[let.name] = let
        value = self._value(let.value)
        self.variables[let.name] = self.overrides.get(let.name, value)

    def _value(self, expression: tree.Expression) -> Any:
        """The value of an expression of variables, or INVALID, reported."""
        for word, _ in words(expression):
            if word.name in self.variables:
                self.used.add(word.name)
        if any(self.variables.get(word.name) is INVALID for word, _ in words(expression)):
            return INVALID
        try:
            return evaluate(expression, Scope(self.variables))
        except BadValue as error:
            named = [word.name for word, _ in words(expression) if word.name not in self.variables]
            hints = (similar("variable", name, self.variables) for name in named)
            help = error.help or next((h for h in hints if h), None)
            self.report(codes.BAD_VALUE, error.message, error.span, help or "correct the value")
            return INVALID

    def _words(
        self,
        expression: tree.Expression,
        known: Iterable[str],
        number_due: bool,
        sure: frozenset[str] = frozenset(),
        possible: frozenset[str] = frozenset(),
    ) -> bool:
        """Check the names in an expression; whether any of them is faulty."""
        before = len(self.findings)
        known = set(known)
        for call in calls(expression):
            if call.function not in FUNCTIONS:
                self.unknown("function", call.function, FUNCTIONS, call.span)
            if call.function == "max" and len(call.arguments) == 1:
                argument = call.arguments[0]
                if isinstance(argument, tree.Word):
                    self._capture(argument, sure, possible)
        if len(self.findings) > before:
            return True
        for word, due in words(expression, number_due):
            if word.name in self.variables:
                self.used.add(word.name)
            elif due and word.name not in known and word.name not in possible:
                self.unknown("variable", word.name, known, word.span)
            elif due and word.name in possible:
                self._capture(word, sure, possible)
        return len(self.findings) > before

    def _capture(self, word: tree.Word, sure: frozenset[str], possible: frozenset[str]) -> None:
        if word.name in sure:
            return
        if word.name in possible:
            self.report(
                codes.UNKNOWN_CAPTURE,
                f"`{word.name}` is captured only in some alternatives of the selector",
                word.span,
                "write a rule for each alternative",
            )
            return
        self.report(
            codes.UNKNOWN_CAPTURE,
            f"the selector captures no number `{word.name}`",
            word.span,
            similar("capture", word.name, possible)
            or f"write `{{{word.name}}}` in the selector where the number stands",
        )

    def _comparisons(self, selector: tree.Selector | None) -> None:
        for comparison in comparisons(selector):
            left = comparison.left
            numeric = not (isinstance(left, tree.Word) and left.name == "dtype")
            self._words(comparison.right, {*self.variables, *FACTS}, numeric)
            if isinstance(left, tree.Subscript):
                self._words(left.index, self.variables, True)

    def _keys(self, options: Iterable[tree.Option]) -> None:
        first: dict[str, tree.Option] = {}
        for option in options:
            if option.key in first:
                self.twice(f"the key `{option.key}`", option.span, first[option.key].span)
            first.setdefault(option.key, option)

    def _spelling(self, option: tree.Option) -> None:
        meant = misspelt(option.key)
        if meant is not None:
            edits = (Edit(option.key_span, meant),) if option.key_span else ()
            self.findings.append(
                Finding(
                    codes.MISSPELT_OPTION,
                    f"there is no option `{option.key}`",
                    (Label(option.key_span),) if option.key_span else (),
                    help=f"there is an option with a similar name: `{meant}`",
                    edits=edits,
                )
            )

    def _kind(self, option: tree.Option, value: Value, kind: Constraint) -> bool:
        due, test = kind
        if test(value):
            return True
        candidates = [*self.variables, *(SCHEDULES if option.key == "schedule" else ())]
        hint = similar("name", value, candidates) if isinstance(value, str) else None
        self.report(
            codes.BAD_VALUE,
            f"`{option.key}` must be {due}, not {quoted_value(value)}",
            option.value.span,
            hint or f"give `{option.key}` {due}",
        )
        return False
