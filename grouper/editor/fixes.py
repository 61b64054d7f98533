"""Quick fixes: the edits that findings carry."""

from __future__ import annotations

from grouper.editor.document import Document
from grouper.text.dataclass import dataclass
from grouper.text.findings import Edit, Finding
from grouper.text.source import Span


@dataclass(frozen=True)
class Fix:
    """A finding's edits under a title, all of them in one file."""

    title: str
    edits: tuple[Edit, ...]
    finding: Finding


def fixes(document: Document, start: int, end: int) -> tuple[Fix, ...]:
    """The fixes of the findings that touch `[start, end]`."""
    touched = [f for f in document.findings if f.edits and _touches(f.span, start, end)]
    return tuple(
        Fix(_title(finding), finding.edits, finding)
        for finding in touched
        if all(edit.span.source is document.source for edit in finding.edits)
    )


def _touches(span: Span | None, start: int, end: int) -> bool:
    return span is not None and span.start <= end and start <= span.end


def _title(finding: Finding) -> str:
    edit = finding.edits[0]
    old, new = edit.span.text.strip(), edit.replacement.strip()
    if not new:
        return f"Take `{old}` away"
    return f"Replace `{old}` with `{new}`" if old else f"Write `{new}` here"
