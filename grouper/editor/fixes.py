"""Quick fixes: the edits of findings."""

from __future__ import annotations

from grouper.editor.document import Document
from grouper.text.dataclass import dataclass
from grouper.text.findings import Edit, Finding
from grouper.text.source import Span


@dataclass(frozen=True)
class Fix:
    """A finding's edits with a title, all of them in one file."""

    title: str
    edits: tuple[Edit, ...]
    finding: Finding


def fixes(document: Document, start: int, end: int) -> tuple[Fix, ...]:
    """The fixes of the findings that touch `[start, end]`."""
    findings = [f for f in document.findings if f.edits and _touches(f.span, start, end)]
    return tuple(
        Fix(_title(finding), finding.edits, finding)
        for finding in findings
        if all(edit.span.source is document.source for edit in finding.edits)
    )


def _touches(span: Span | None, start: int, end: int) -> bool:
    return span is not None and span.start <= end and start <= span.end


def _title(finding: Finding) -> str:
    edit = finding.edits[0]
    old, new = edit.span.text.strip(), edit.replacement.strip()
    if not new:
        return f"Remove `{old}`"
    return f"Replace `{old}` with `{new}`" if old else f"Insert `{new}`"
