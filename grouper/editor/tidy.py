"""Formatting: the canonical form of a file, as an edit of the lines that differ."""

from __future__ import annotations

from grouper.editor.document import Document
from grouper.language.syntax.format import format_file
from grouper.text.findings import Edit
from grouper.text.source import Span


def tidied(document: Document) -> tuple[Edit, ...]:
    """The edit that brings a file into canonical form; none if it already is, or has syntax
    errors."""
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
        end -= 1  # an edit must not start or end inside a line ending
    return (Edit(Span(document.source, start, len(old) - end), new[start : len(new) - end]),)


def _shared(old: str, new: str) -> int:
    """The length of the common prefix, cut to the start of a line."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    return old.rfind("\n", 0, start) + 1
