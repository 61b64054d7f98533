"""An audit in the formats of this folder, which contain only findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from grouper.checks.audit.audit import Audit
from grouper.checks.report import Report
from grouper.reports.audit import report_of
from grouper.reports.ci import concise, github, gitlab, junit, sarif
from grouper.reports.output import Output

Text = str | Iterable[str]


def _of(render: Callable[[Sequence[Report], Output], Text]) -> Callable[[Audit, Output], Text]:
    return lambda audit, output: render([report_of(audit)], output)


render_concise = _of(concise.render_reports)
render_sarif = _of(sarif.render_reports)
render_github = _of(github.render_reports)
render_gitlab = _of(gitlab.render_reports)
render_junit = _of(junit.render_reports)
