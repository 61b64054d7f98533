"""The summary page of a GitHub job: each report as HTML inside Markdown.

An element at the start of a Markdown line is HTML up to the next empty line. The HTML built here
has no empty lines, so names cannot become Markdown, links or mentions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.checks.report import Report
from grouper.reports.html.elements import Element, code, element, joined
from grouper.reports.html.report import findings_html, report_html
from grouper.reports.output import Output

LARGEST = 900_000  # bytes of a page; GitHub rejects a step's page of 1 MiB


def render_reports(reports: Sequence[Report], _output: Output) -> Iterator[str]:
    size = 0
    for number, report in enumerate(reports):
        page = _page(report, report_html(report))
        if size + len(page.encode()) > LARGEST:
            page = _page(report, findings_html(report.findings, 5))
        size += len(page.encode())
        if size > LARGEST:
            rest = len(reports) - number
            yield f"{element('p', f'{rest} more rules files: see the log of the job')}\n\n"
            return
        yield f"{page}\n\n"


def _page(report: Report, content: Element) -> Element:
    title = element("h3", "grouper: ", code(report.rules.path))
    return element("div", joined([title, content]))
