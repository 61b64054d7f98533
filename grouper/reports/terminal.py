"""The report as text: the model, the groups, the findings, one closing line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grouper.checks.report import Report
from grouper.group.grouping import Grouping
from grouper.reports.finding_text import findings_lines
from grouper.reports.groups import groups_lines
from grouper.reports.lines import Line, styled
from grouper.reports.model_lines import model_lines
from grouper.reports.output import Output
from grouper.text.findings import Finding, Severity, severity_counts
from grouper.text.printable import visible


def render_reports(reports: Sequence[Report], output: Output) -> str:
    """The report; for several, each with the name of its rules, and how many of them are sound."""
    if len(reports) == 1:
        return output.text(report_lines(reports[0], output))
    return output.text(_reports_lines(reports, output))


def render_findings(report: Report, output: Output) -> str:
    """The findings and the closing line, without the groups."""
    closing = closing_line(report.findings, report.grouping)
    return output.text([*findings_lines(report.findings, output), closing])


def report_lines(report: Report, output: Output) -> Iterator[Line]:
    """The model, the groups, the findings, and a closing line with the result."""
    if report.has_model and not output.quiet:
        yield from model_lines(report.inventory)
    yield from _result_lines(report, output)


def _reports_lines(reports: Sequence[Report], output: Output) -> Iterator[Line]:
    """The model once, the result of each rules file, and a closing line for all of them."""
    if reports[0].has_model and not output.quiet:
        yield from model_lines(reports[0].inventory)
    for report in reports:
        yield from _result_lines(report, output, f"{visible(report.rules.path)}: ")
    failed = sum(not report.ok for report in reports)
    if failed or not output.quiet:
        rest = f", {failed} with errors" if failed else ""
        yield styled((f"{len(reports)} files: {len(reports) - failed} sound{rest}", "bold"))


def _result_lines(report: Report, output: Output, name: str = "") -> Iterator[Line]:
    if report.has_model and report.grouping is not None and not output.quiet:
        yield Line()
        yield from groups_lines(report, output)
        yield Line()
    yield from findings_lines(report.findings, output)
    if not output.quiet or not report.ok:
        yield styled(name, *closing_line(report.findings, report.grouping).pieces)


def report_text(report: Report, columns: int = 100) -> str:
    """The report as plain text."""
    output = Output(color="never", width=columns)
    return output.text(report_lines(report, output))


def closing_line(findings: Iterable[Finding], grouping: Grouping | None) -> Line:
    """The last line: whether an optimizer can be built, and the numbers of findings."""
    severities = [finding.severity for finding in findings]
    phrases = ", ".join(severity_counts(severities))
    if Severity.ERROR in severities:
        return styled(("failed: ", "bold red"), phrases)
    rest = f"; {phrases}" if phrases else ""
    if grouping is None:
        return styled(("the rules are sound", "bold green"), rest)
    total = len(grouping.groups)
    return styled((f"ok: {total} group{'s' * (total != 1)}", "bold green"), rest)
