"""Annotations of GitHub Actions: workflow commands on standard output.

GitHub shows the first 10 errors, 10 warnings and 10 notices of a step and drops the rest; these are
printed for the log alone. See "Workflow commands for GitHub Actions" in GitHub's documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.checks.report import Report
from grouper.reports.ci.concise import closing_lines
from grouper.reports.ci.entries import WORST_FIRST, Entry, all_entries
from grouper.reports.output import Output
from grouper.text.findings import Severity

LIMIT = 10  # annotations of a kind in a step
LONGEST = 10_000  # characters of a message; GitHub takes 64 KB
COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_reports(reports: Sequence[Report], output: Output) -> Iterator[str]:
    """Errors, then warnings, then notices."""
    found = all_entries(reports, output.quiet)
    for severity in WORST_FIRST:
        alike = [entry for entry in found if entry.finding.severity is severity]
        yield from (_command(entry) + "\n" for entry in alike[:LIMIT])
        yield from (_logged(entry) for entry in alike[LIMIT:])
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
    if place.line == place.end_line:  # columns of several lines are refused
        properties |= {"col": place.column, "endColumn": place.end_column}
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    message = _data("\n".join(entry.lines)[:LONGEST])
    return f"::{COMMANDS[entry.finding.severity]} {listed}::{message}"


def _logged(entry: Entry) -> str:
    place = entry.place
    return _inert(
        f"{entry.finding.severity.value} {place.path}:{place.line}: {entry.title}: {entry.message}"
    )


def _inert(line: str) -> str:
    """A line of the log that is no command: these begin with `::`, or hold `##[` anywhere."""
    return f"grouper: {line.replace('##[', '## [')}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
