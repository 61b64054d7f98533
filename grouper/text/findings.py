"""What the analyzer says: one finding is one answer, with its places and a way out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from enum import Enum
from typing import TypeAlias

from grouper.text.dataclass import dataclass, field
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


Fix: TypeAlias = tuple[Edit, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Finding(Shown):
    """One finding. `labels[0]` is its place; the others are places that explain it.

    `message` is lower case, has names in backticks and stands alone. `parameters` are full
    names, in the model's order, never cut. `help` alone says what to do. `candidates` are edits
    that may help, not yet tried; those that do become `edits`. `severity`, where given,
    replaces the code's own (a note becomes an error under `strict`).
    """

    code: Code
    message: str
    labels: tuple[Label, ...] = ()
    parameters: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    edits: tuple[Edit, ...] = ()
    candidates: tuple[Fix, ...] = field(default=(), compare=False)
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
    def order(self) -> tuple[str, int, str, str, tuple[str, ...]]:
        """The one order of findings everywhere: file, offset, code, and what they are about."""
        span = self.span
        path, start = (span.source.path, span.start) if span else ("", -1)
        return path, start, self.code.id, self.message, self.parameters


def in_order(findings: list[Finding] | tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings sorted for users, each once."""
    return tuple(dict.fromkeys(sorted(findings, key=lambda finding: finding.order)))


class GroupingWarning(UserWarning):
    """A finding that is a warning, for callers of functions: its code, what it says and where."""


_shown: dict[str | tuple[str, type[Warning], int], int] = {}


def warn(findings: Iterable[Finding]) -> None:
    """Hand the warnings among the findings to Python's `warnings`, as GroupingWarning.

    Each is at the place in the rules, and not at the call, so that Python shows it once however
    many calls of a run come upon it.
    """
    for finding in in_order(tuple(findings)):
        if finding.severity is not Severity.WARNING:
            continue
        place = f" ({finding.span.place})" if finding.span else ""
        help = f"; {finding.help}" if finding.help else ""
        text = f"{finding.code.id} {finding.code.name}: {finding.message}{place}{help}"
        path, line = (finding.span.source.path, finding.span.line) if finding.span else ("rules", 1)
        warnings.warn_explicit(
            visible(text), GroupingWarning, visible(path), line, "grouper", _shown
        )
