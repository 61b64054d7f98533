"""An expression with numbers in place of its words, and where those come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from grouper.language.expressions import Scope, captured_names, evaluate, label_of
from grouper.language.facts import FACTS
from grouper.language.ruleset import literal
from grouper.language.syntax import tree
from grouper.language.syntax.unparse import expression_text
from grouper.match.derivation.derivation import Source
from grouper.options.values import Value, value_text
from grouper.text.dataclass import dataclass, field
from grouper.text.source import Span


@dataclass
class Substitution:
    """Puts values in place of words. `spans` are the places of variables; `sources` is filled
    as words are met."""

    scope: Scope
    spans: Mapping[str, Span]
    sources: dict[Source, None] = field(default_factory=dict)

    def of(self, expression: tree.Expression) -> tree.Expression:
        """The expression with values. Raises BadValue where a word has none."""
        match expression:
            case tree.Number() | tree.Constant() | tree.String():
                return expression
            case tree.Word():
                return self._word(expression)
            case tree.Subscript():
                return self._subscript(expression)
            case tree.Attribute():
                return self._fact(expression)
            case tree.Tuple(items=items):
                return tree.Tuple(tuple(map(self.of, items)))
            case tree.Unary(operator=operator, operand=operand):
                return tree.Unary(operator, self.of(operand))
            case tree.Binary(operator=operator, left=left, right=right):
                return tree.Binary(operator, self.of(left), self.of(right))
            case tree.Call(function=function, arguments=arguments):
                if self._counts(expression):
                    return self._fact(expression)
                return tree.Call(function, tuple(map(self.of, arguments)))
            case tree.Configured(name=name, options=options):
                return tree.Configured(
                    name, tuple(tree.Option(o.key, o.operator, self.of(o.value)) for o in options)
                )
            case _:
                assert_never(expression)

    def _word(self, word: tree.Word) -> tree.Expression:
        name, scope = word.name, self.scope
        if name in scope.captures:
            return self._fact(word)
        if name in scope.variables:
            self._add(self._variable(name))
            return literal(scope.variables[name])
        return self._fact(word) if name in FACTS and scope.parameter is not None else word

    def _variable(self, name: str) -> Source:
        span = self.spans.get(name)
        if span is not None:
            return Source(name, span)
        return Source("its own lr" if name == "lr" else f"{name}, given by the caller")

    def _subscript(self, expression: tree.Subscript) -> tree.Expression:
        of, index = expression.of, self.of(expression.index)
        value = evaluate(expression, self.scope)
        text = expression_text(tree.Subscript(of, index))
        span = self.spans.get(of.name) if isinstance(of, tree.Word) else None
        self._add(Source(f"{text} = {value_text(value)}", span))
        return literal(value)

    def _fact(self, expression: tree.Expression) -> tree.Expression:
        """What the model says: its value, and the value as a source."""
        value: Value = evaluate(expression, self.scope)
        self._add(Source(f"{expression_text(expression)} = {value_text(value)}"))
        return literal(value)

    def _counts(self, call: tree.Call) -> bool:
        """Whether a call speaks of captures or of labels, and not of numbers."""
        names, numbers = captured_names(call), self.scope.numbers
        if numbers is not None and names and numbers.knows(names):
            return True
        return self.scope.totals is not None and label_of(call) is not None

    def _add(self, source: Source) -> None:
        self.sources[source] = None
