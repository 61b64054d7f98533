"""Why an expression has no value, with the place."""

from __future__ import annotations

from grouper.text.source import Span


class BadValue(Exception):
    """An expression has no value here; `span` is its faulty part."""

    def __init__(self, message: str, span: Span | None, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.span, self.help = message, span, help


class UnknownFact(BadValue):
    """A fact that the model's file does not record."""


class Undefined(BadValue):
    """A fact that this parameter does not have, such as a third dimension."""
