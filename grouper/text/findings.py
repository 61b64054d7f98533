"""Findings, the diagnostics of the analyzer: a message, the places in the rules and a fix."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from enum import Enum
from typing import TypeAlias

from grouper.text.dataclass import dataclass, field
from grouper.text.printable import visible
from grouper.text.shown import Shown, line
from grouper.text.source import Span


class Severity(Enum):
    """How severe a finding is. Only errors prevent groups from being built."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def severity_counts(severities: Iterable[Severity]) -> list[str]:
    """How many there are of each severity, the worst first: `2 errors`, `1 note`."""
    counts = Counter(severities)
    return [f"{counts[s]} {s.value}{'s' * (counts[s] != 1)}" for s in Severity if counts[s]]


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding; `page` is its manual page (what, why, a bad and a good example)."""

    id: str
    name: str
    severity: Severity
    page: str


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the rules, and a few words shown under it."""

    span: Span
    message: str = ""


def labels_at(span: Span | None, message: str = "") -> tuple[Label, ...]:
    """One label at the span, or none without a span."""
    return (Label(span, message),) if span is not None else ()


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of the text of a span."""

    span: Span
    replacement: str


Fix: TypeAlias = tuple[Edit, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Finding(Shown):
    """One diagnostic. `labels[0]` is its place; the other labels explain it.

    `message` begins in lower case, has names in backticks and is complete without the rest.
    `parameters` are full names in the model's order. `help` says what to do. `candidates` are
    fixes that have not been verified; a verified one becomes `edits`. `severity_override` replaces
    the code's severity (a note becomes an error under `strict`).
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
        """The sort key of findings: file, offset, code, message and parameters."""
        span = self.span
        path, start = (span.source.path, span.start) if span else ("", -1)
        return path, start, self.code.id, self.message, self.parameters


def in_order(findings: list[Finding] | tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings sorted, without duplicates."""
    return tuple(dict.fromkeys(sorted(findings, key=lambda finding: finding.order)))


class GroupingWarning(UserWarning):
    """The Python warning for a finding: its code, its message and its place in the rules."""


_shown: dict[str | tuple[str, type[Warning], int], int] = {}


def warn(findings: Iterable[Finding]) -> None:
    """Issue a GroupingWarning for each finding that is a warning.

    The location of the warning is the place in the rules, not the call, so that Python shows it
    once even if several calls of a run find it.
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
