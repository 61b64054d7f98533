"""Every request, asked of a document, and what must hold of every answer."""

from __future__ import annotations

from contextlib import suppress

from grouper.editor.colours import TYPES, semantic_tokens
from grouper.editor.complete import complete
from grouper.editor.diagnose import diagnostics
from grouper.editor.fixes import fixes
from grouper.editor.fold_lines import folds
from grouper.editor.hints import hints
from grouper.editor.hover import hover
from grouper.editor.navigate import CannotRename, definition, references, rename, renamed_span
from grouper.editor.symbols import symbols
from grouper.editor.tidy import tidied


def ask_everything(document, offset):
    """Ask every request; the answers are about this text, and no other."""
    whole = len(document.text)
    for found in diagnostics(document):
        inside(document, found.span)
    for fix in fixes(document, 0, whole):
        for edit in fix.edits:
            inside(document, edit.span)
    for hint in hints(document, 0, whole):
        assert 0 <= hint.offset <= whole
    said = hover(document, offset)
    if said is not None:
        inside(document, said.span)
        assert said.markdown
    for candidate in complete(document, offset):
        inside(document, candidate.span)
        assert candidate.span.end == offset
    for span in (*definition(document, offset), *references(document, offset)):
        if span.source.path == document.path:
            inside(document, span)
    with suppress(CannotRename):
        span = renamed_span(document, offset)
        inside(document, span)
        assert span.start <= offset <= span.end
        rename(document, offset, "renamed_to")
    for symbol in symbols(document):
        check_symbol(document, symbol)
    lines = document.text.count("\n") + document.text.count("\r") + 1
    for fold in folds(document):
        assert 0 <= fold.first < fold.last < lines
    check_tokens(document)
    tidied(document)


def inside(document, span):
    assert span.source.text == document.text
    assert 0 <= span.start <= span.end <= len(document.text)


def check_symbol(document, symbol):
    inside(document, symbol.span)
    assert symbol.name.strip()
    assert symbol.span.start <= symbol.selection.start <= symbol.selection.end <= symbol.span.end
    for child in symbol.children:
        check_symbol(document, child)


def check_tokens(document):
    data = semantic_tokens(document, "utf-16")
    assert len(data) % 5 == 0
    line, start, end = 0, 0, 0
    for at in range(0, len(data), 5):
        down, right, length, kind, modifiers = data[at : at + 5]
        start = right if down else start + right
        assert down > 0 or start >= end
        assert length > 0
        assert kind < len(TYPES)
        assert modifiers in (0, 1)
        line, end = line + down, start + length
        text = document.lines("utf-16")
        assert text.offset(line, end) - text.offset(line, start) > 0
