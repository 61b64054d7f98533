"""An audit as HTML."""

from __future__ import annotations

from grouper.checks.audit.audit import Audit
from grouper.reports.audit import closing_line, optimizer_lines
from grouper.reports.html.elements import Element, joined, lines
from grouper.reports.html.groups import grouping_html
from grouper.reports.html.report import findings_html
from grouper.reports.model_lines import model_lines


def audit_html(audit: Audit) -> Element:
    """The output of `grouper audit` as HTML."""
    return joined(
        [
            lines([*model_lines(audit.inventory), *optimizer_lines(audit)]),
            grouping_html(audit.grouping),
            findings_html(audit.findings),
            lines([closing_line(audit)]),
        ]
    )
