"""Annotations of GitHub Actions: workflow commands on standard output.

GitHub shows the first 10 errors, 10 warnings and 10 notices of a step and drops the rest, which are
only printed to the log. See "Workflow commands for GitHub Actions" in GitHub's documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.checks.report import Report
from grouper.reports.ci.concise import closing_lines
from grouper.reports.ci.entries import WORST_FIRST, Entry, all_entries
from grouper.reports.output import Output
from grouper.text.findings import Severity

LIMIT = 10  # annotations of one kind per step
LONGEST = 10_000  # characters of a message; GitHub accepts 64 KB
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_reports(reports: Sequence[Report], output: Output) -> Iterator[str]:
    """The annotations: errors, then warnings, then notices."""
    findings = all_entries(reports, output.quiet)
    for severity in WORST_FIRST:
        entries = [entry for entry in findings if entry.finding.severity is severity]
        yield from (_command(entry) + "\n" for entry in entries[:LIMIT])
        yield from (_log_line(entry) for entry in entries[LIMIT:])
    if not output.quiet:
        yield from (_inert(line) for line in closing_lines(reports))


def _command(entry: Entry) -> str:
    place = entry.place
    properties = {
        "file": place.path,
        "line": place.line,
        "endLine": place.end_line,
        "title": entry.title,
    }
    if place.line == place.end_line:  # GitHub rejects columns for several lines
        properties |= {"col": place.column, "endColumn": place.end_column}
    parts = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    message = _data("\n".join(entry.lines)[:LONGEST])
    return f"::{COMMANDS[entry.finding.severity]} {parts}::{message}"


def _log_line(entry: Entry) -> str:
    place = entry.place
    return _inert(
        f"{entry.finding.severity.value} {place.path}:{place.line}: {entry.title}: {entry.message}"
    )


def _inert(line: str) -> str:
    """A log line that is not a command: commands start with `::` or contain `##[`."""
    return f"grouper: {line.replace('##[', '## [')}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
