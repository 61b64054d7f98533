"""Findings as diagnostics for an editor, each at a place in the open file."""

from __future__ import annotations

from grouper.checks import allowed, never_decides
from grouper.editor.document import Document
from grouper.language.resolve.codes import UNUSED_LET
from grouper.language.syntax import tree
from grouper.text.dataclass import dataclass
from grouper.text.findings import Finding
from grouper.text.fold import folded_list
from grouper.text.source import Span

MOST_PATTERNS = 8
_USELESS = (UNUSED_LET, never_decides.CODE, allowed.CODE)


@dataclass(frozen=True)
class Diagnostic:
    """A finding with its place in this file and related places, which can be in other files."""

    finding: Finding
    span: Span
    message: str
    related: tuple[tuple[Span, str], ...]
    useless: bool  # the code at `span` can be removed


def diagnostics(document: Document) -> tuple[Diagnostic, ...]:
    """The diagnostics of a file, in order."""
    return tuple(_diagnostic(document, finding) for finding in document.findings)


def _diagnostic(document: Document, finding: Finding) -> Diagnostic:
    place = finding.span
    related = [(label.span, label.message or "see here") for label in finding.labels[1:]]
    if place is None:
        place = _statement(document, tree.For)
    elif place.source is not document.source:
        related.insert(0, (place, finding.message))
        place = _statement(document, tree.Include)
    return Diagnostic(finding, place, _message(finding), tuple(related), finding.code in _USELESS)


def _statement(document: Document, kind: type[tree.For] | type[tree.Include]) -> Span:
    """The place of a finding outside this file: the first `for` if it is about a model, the first
    `include` if it is in an included file."""
    for statement in document.parsed.file.statements:
        if isinstance(statement, kind) and statement.span is not None:
            return statement.span
    return Span(document.source, 0, 0)


def _message(finding: Finding) -> str:
    lines = [finding.message]
    if finding.parameters:
        lines.append(f"parameters: {folded_list(finding.parameters, MOST_PATTERNS)}")
    lines += [f"note: {note}" for note in finding.notes]
    if finding.help:
        lines.append(f"help: {finding.help}")
    return "\n".join(lines)
