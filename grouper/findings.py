"""What the analyzer says: one finding is one answer, with its places and a way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from grouper.text.printable import visible
from grouper.text.shown import Shown, line
from grouper.text.source import Span


class Severity(Enum):
    """How much a finding matters: only errors keep groups from being built."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding; `page` is its manual page (what, why, a bad and a good example)."""

    id: str
    name: str
    severity: Severity
    page: str


@dataclass(frozen=True, slots=True)
class Label:
    """A place, and a few words under it (shorter than the finding's message)."""

    span: Span
    message: str = ""


def labels_at(span: Span | None, message: str = "") -> tuple[Label, ...]:
    """A label at the span; none where there is no span."""
    return (Label(span, message),) if span is not None else ()


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of a span: a change to the rules that is sure to help."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True, repr=False)
class Finding(Shown):
    """One finding. `labels[0]` is its place; the others are places that explain it.

    `message` is lower case, has names in backticks and stands alone. `parameters` are full
    names, in the model's order, never cut. `help` alone says what to do. `severity`, where given,
    replaces the code's own (a note becomes an error under `strict`).
    """

    code: Code
    message: str
    labels: tuple[Label, ...] = ()
    parameters: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    edits: tuple[Edit, ...] = ()
    severity_override: Severity | None = None

    def __repr__(self) -> str:
        words = f"{self.severity.value} {self.code.id} {self.code.name}: {self.message}"
        return line(self, visible(words))

    @property
    def severity(self) -> Severity:
        return self.severity_override or self.code.severity

    @property
    def span(self) -> Span | None:
        return self.labels[0].span if self.labels else None

    @property
    def order(self) -> tuple[str, int, str, str]:
        """The one order of findings everywhere: file, offset, code."""
        span = self.span
        path, start = (span.source.path, span.start) if span else ("", -1)
        return path, start, self.code.id, self.message


def in_order(findings: list[Finding] | tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings sorted for users, each once."""
    return tuple(dict.fromkeys(sorted(findings, key=lambda finding: finding.order)))
