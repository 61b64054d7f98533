"""The derivation of one option: numbers, and where each of them is written."""

from __future__ import annotations

from grouper.language.syntax import tree
from grouper.language.syntax.unparse import expression_text
from grouper.options.values import Value, value_text
from grouper.text.dataclass import dataclass, field
from grouper.text.source import Span


@dataclass(frozen=True)
class Source:
    """Who says a number: `else -> body`, `base`; or a fact with its value: `fan_in = 64`.

    `span` is None for what is in no file.
    """

    what: str
    span: Span | None = field(default=None)


@dataclass(frozen=True)
class Term:
    """A value, or a factor: `expression` has numbers in place of the words of the file."""

    expression: tree.Expression
    value: Value
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Derivation:
    """An option of a parameter: its value is the first term, times the others in their order.

    `overruled` are the values that rules set and that do not count, `in_conflict` those about which
    rules disagree: the option then has no value and no terms.
    """

    key: str
    value: Value
    terms: tuple[Term, ...]
    overruled: tuple[Term, ...] = ()
    in_conflict: tuple[Term, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The terms as they are in a product: `0.01`, `0.75**(11 - 3)`, `(1 / 3)`."""
        several = len(self.terms) > 1
        precedences = [2 if several else 0, *[3] * (len(self.terms) - 1)]
        terms = zip(self.terms, precedences, strict=False)
        return tuple(expression_text(term.expression, around) for term, around in terms)

    @property
    def arithmetic(self) -> str:
        """The terms as an expression of the rules language, which comes to the value."""
        return " * ".join(self.texts)

    @property
    def computed(self) -> bool:
        """Whether the arithmetic says more than the value."""
        if len(self.terms) == 1 and isinstance(self.terms[0].expression, tree.Number):
            return False  # 1e-3 is 0.001
        return self.arithmetic != value_text(self.value)
