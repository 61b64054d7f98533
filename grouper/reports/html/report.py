"""A report as HTML: the model, the groups, the findings, the closing line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grouper.checks.report import Report
from grouper.findings import Finding, Severity
from grouper.reports.finding_text import finding_lines
from grouper.reports.html.elements import Element, element, joined, lines
from grouper.reports.html.groups import grouping_html
from grouper.reports.terminal import closing_line, model_lines

MOST_FINDINGS = 50  # of a page; each can be a screen long


def report_html(report: Report) -> Element:
    """What `grouper check` prints."""
    parts: list[Element] = []
    if report.has_model:
        parts.append(lines(model_lines(report.inventory)))
    if report.has_model and report.grouping is not None:
        parts.append(grouping_html(report.grouping))
    closing = lines([closing_line(report.findings, report.grouping)])
    return joined([*parts, findings_html(report.findings), closing])


def finding_html(finding: Finding) -> Element:
    """The message, the lines of the rules, and what to do."""
    return lines(finding_lines(finding))


def findings_html(findings: Sequence[Finding], most: int = MOST_FINDINGS) -> Element:
    """The findings, the worst of them where there are too many."""
    shown = findings if len(findings) <= most else _worst(findings)[:most]
    parts = [finding_html(finding) for finding in shown]
    if len(findings) > len(shown):
        parts.append(element("p", f"and {len(findings) - len(shown):,} more findings"))
    return joined(parts)


def _worst(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity))
