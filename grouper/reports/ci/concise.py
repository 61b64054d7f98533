"""One line per finding, for editors and `grep`: `path:line:column: error[GR101] message`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.checks.report import Report
from grouper.reports.ci.entries import all_entries
from grouper.reports.output import Output
from grouper.text.findings import severity_counts
from grouper.text.printable import visible


def render_reports(reports: Sequence[Report], output: Output) -> Iterator[str]:
    for entry in all_entries(reports, output.quiet):
        place, finding = entry.place, entry.finding
        path = visible(finding.span.source.path) if finding.span else place.path
        where = f"{path}:{place.line}:{place.column}"
        yield f"{where}: {finding.severity.value}[{finding.code.id}] {entry.message}\n"
    if not output.quiet:
        yield from (f"{line}\n" for line in closing_lines(reports))


def closing_lines(reports: Sequence[Report]) -> list[str]:
    """A line for each report: the path of its rules, and its result."""
    return [f"{visible(report.rules.path)}: {result(report)}" for report in reports]


def result(report: Report) -> str:
    """A text such as `ok: 3 groups; 1 note`, `failed: 1 error` or `sound`."""
    phrases = ", ".join(severity_counts(finding.severity for finding in report.findings))
    if not report.ok:
        return f"failed: {phrases}"
    groups = len(report.grouping.groups) if report.grouping else 0
    sound = f"ok: {groups} group{'s' * (groups != 1)}" if report.has_model else "sound"
    return f"{sound}; {phrases}" if phrases else sound
