"""What the formats of this folder contain for each finding: its place in the repository, its text
as plain lines, and a fingerprint to recognise it by."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from grouper.checks.report import Report
from grouper.text.dataclass import dataclass
from grouper.text.findings import Finding, Severity
from grouper.text.fold import folded_list
from grouper.text.printable import visible
from grouper.text.source import Span

MOST_PATTERNS = 8
ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")  # the checkout's folder in GitHub and GitLab
WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True)
class Place:
    """A place in a file: `path` is relative to the repository's root, lines and columns start at 1,
    and the end is exclusive."""

    path: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1


@dataclass(frozen=True)
class Entry:
    """A finding of a report. `fingerprint` does not change when lines move or the model grows."""

    finding: Finding
    place: Place
    fingerprint: str

    @property
    def title(self) -> str:
        return f"{self.finding.code.id} {self.finding.code.name}"

    @property
    def message(self) -> str:
        return visible(self.finding.message)

    @property
    def lines(self) -> list[str]:
        """The message, the parameters, the notes and the help, each on one line."""
        finding = self.finding
        lines = [finding.message]
        if finding.parameters:
            lines.append(f"parameters: {folded_list(finding.parameters, MOST_PATTERNS, quote='')}")
        lines += [f"note: {note}" for note in finding.notes]
        if finding.help:
            lines.append(f"help: {finding.help}")
        return list(map(visible, lines))


def entries(reports: Sequence[Report]) -> Iterator[tuple[Report, list[Entry]]]:
    """The reports with their entries."""
    seen: dict[str, int] = {}
    for report in reports:
        yield report, [_entry(finding, report, seen) for finding in report.findings]


def all_entries(reports: Sequence[Report], quiet: bool = False) -> list[Entry]:
    """The entries of all reports in order; `quiet` omits notes."""
    return [
        entry
        for _, of_report in entries(reports)
        for entry in of_report
        if not (quiet and entry.finding.severity is Severity.NOTE)
    ]


def place_of(span: Span) -> Place:
    path = repository_path(span.source.path)
    return Place(path, span.line, span.column, span.end_line, span.end_column)


def repository_path(path: str) -> str:
    """The path relative to the repository's root, with slashes; outside of it, the path itself."""
    roots = [root for name in ROOTS if (root := os.environ.get(name))]
    for root in (*roots, os.getcwd()):
        try:
            inside = Path(path).resolve().relative_to(Path(root).resolve())
        except (OSError, ValueError):
            continue
        return visible(inside.as_posix())
    return visible(path)


def _entry(finding: Finding, report: Report, seen: dict[str, int]) -> Entry:
    span = finding.span
    place = place_of(span) if span else Place(repository_path(report.rules.path))
    text = " ".join(span.text.split()) if span else ""
    key = sha256("\0".join((finding.code.id, place.path, text)).encode("utf-8", "replace"))
    digest = key.hexdigest()
    seen[digest] = seen.get(digest, 0) + 1
    if seen[digest] > 1:  # equal findings get different fingerprints
        digest = sha256(f"{digest}\0{seen[digest]}".encode()).hexdigest()
    return Entry(finding, place, digest)
