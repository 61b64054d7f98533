"""Formatting: the canonical form, as an edit of the lines that differ."""

from __future__ import annotations

from grouper.editor.document import Document
from grouper.language.syntax.format import format_file
from grouper.text.findings import Edit
from grouper.text.source import Span


def tidied(document: Document) -> tuple[Edit, ...]:
    """The edit that gives the file its canonical form; none where it has it, or cannot be read."""
    if document.parsed.findings:
        return ()
    old = document.text
    new = format_file(document.parsed.file, document.source)
    if "\r\n" in old:
        new = new.replace("\n", "\r\n")
    if old == new:
        return ()
    start = _shared(old, new)
    limit = min(len(old), len(new)) - start
    end = 0
    while end < limit and old[-1 - end] == new[-1 - end]:
        end += 1
    if 0 < end < len(old) and old[len(old) - end - 1 : len(old) - end + 1] == "\r\n":
        end -= 1  # no edit begins or ends inside a line's end
    return (Edit(Span(document.source, start, len(old) - end), new[start : len(new) - end]),)


def _shared(old: str, new: str) -> int:
    """How many characters both begin with, up to the beginning of a line."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    return old.rfind("\n", 0, start) + 1
