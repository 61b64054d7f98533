"""A report as HTML: the model, the groups, the findings, the closing line."""

from __future__ import annotations

from collections.abc import Sequence

from grouper.checks.report import Report
from grouper.reports.finding_text import finding_lines, worst_first
from grouper.reports.html.elements import Element, element, joined, lines
from grouper.reports.html.groups import report_groups_html
from grouper.reports.model_lines import model_lines
from grouper.reports.output import Output
from grouper.reports.terminal import closing_line
from grouper.text.findings import Finding

PAGE = Output(width=100)
MOST_FINDINGS = 50  # on a page; each can be a screen long


def report_html(report: Report) -> Element:
    """The output of `grouper check` as HTML."""
    parts: list[Element] = []
    if report.has_model:
        parts.append(lines(model_lines(report.inventory)))
    if report.has_model and report.grouping is not None:
        parts.append(report_groups_html(report))
    closing = lines([closing_line(report.findings, report.grouping)])
    return joined([*parts, findings_html(report.findings), closing])


def finding_html(finding: Finding) -> Element:
    """A finding: the message, the lines of the rules, and the help."""
    return lines(finding_lines(finding, PAGE))


def findings_html(findings: Sequence[Finding], most: int = MOST_FINDINGS) -> Element:
    """The findings, most severe first, at most `most` of them."""
    first = worst_first(findings)[:most]
    parts = [finding_html(finding) for finding in first]
    if len(findings) > len(first):
        parts.append(element("p", f"and {len(findings) - len(first):,} more findings"))
    return joined(parts)
