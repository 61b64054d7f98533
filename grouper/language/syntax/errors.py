"""How a faulty statement is left: with its one finding."""

from __future__ import annotations

from typing import NoReturn

from grouper.text.findings import Code, Edit, Finding, Label
from grouper.text.source import Span


class Faulty(Exception):
    """Ends the building of one statement; never leaves the parser."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def refuse(
    code: Code, message: str, span: Span, help: str | None = None, edit: str | None = None
) -> NoReturn:
    """Give the statement up. `edit` is what the span should be instead, where that is sure."""
    edits = () if edit is None else (Edit(span, edit),)
    raise Faulty(Finding(code, message, (Label(span),), help=help, edits=edits))
