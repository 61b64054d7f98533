"""What calls raise where rules do not fit."""

from __future__ import annotations

from grouper.checks.report import Report
from grouper.text.arguments import require


class GroupingError(Exception):
    """The rules do not fit the model: no groups are built. The text is what `grouper check`
    prints; `report` and `findings` are the same as values."""

    def __init__(self, report: Report) -> None:
        require("report", report, Report, "the report of `grouper.check(...)`")
        super().__init__(report)
        self.report = report
        self.findings = report.findings

    def __str__(self) -> str:
        from grouper.reports.terminal import report_text

        return report_text(self.report)
