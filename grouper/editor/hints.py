"""Inlay hints: after each rule's selector, how much of the model the rule takes."""

from __future__ import annotations

from collections.abc import Iterator

from grouper.editor.document import Document, Taken
from grouper.editor.markdown import code, names_list, totals
from grouper.editor.scan import Scanned
from grouper.text.dataclass import dataclass


@dataclass(frozen=True)
class Hint:
    """Text to show at an offset, with a tooltip in Markdown."""

    offset: int
    text: str
    tooltip: str


def hints(document: Document, start: int, end: int) -> tuple[Hint, ...]:
    """The hints between two offsets."""
    if not document.models:
        return ()
    return tuple(_hints(document, document.statements, start, end))


def _hints(
    document: Document, statements: tuple[Scanned, ...], start: int, end: int
) -> Iterator[Hint]:
    for statement in statements:
        yield from _hints(document, statement.inside, start, end)
        visible = start <= statement.span.end and statement.span.start <= end
        if statement.word != "rule" or not visible:
            continue
        arrow = next((t for t in statement.tokens if t.text == "->"), None)
        taken = [t for t in document.taken.get(statement.span.start, ()) if t.sure]
        if arrow is not None and taken:
            before = document.text[: arrow.start].rstrip()
            text = " | ".join(_short(one) for one in taken)
            yield Hint(len(before), text, "\n\n".join(map(_tooltip, taken)))


def _short(taken: Taken) -> str:
    return totals(taken.parameters)


def _tooltip(taken: Taken) -> str:
    return f"{totals(taken.parameters)} of {code(taken.model.path)}\n\n" + names_list(
        taken.parameters
    )
