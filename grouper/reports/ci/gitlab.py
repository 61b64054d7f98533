"""GitLab's code quality report: a JSON list of issues, each with a fingerprint.

See "Code Quality report format" in GitLab's documentation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from grouper.checks.report import Report
from grouper.reports.ci.entries import Entry, all_entries
from grouper.reports.output import Output
from grouper.text.findings import Severity

SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render_reports(reports: Sequence[Report], _output: Output) -> str:
    return json.dumps([_issue(entry) for entry in all_entries(reports)], indent=2)


def _issue(entry: Entry) -> dict[str, Any]:
    return {
        "description": entry.message,
        "check_name": entry.title,
        "fingerprint": entry.fingerprint,
        "severity": SEVERITIES[entry.finding.severity],
        "location": {
            "path": entry.place.path,
            "lines": {"begin": entry.place.line, "end": entry.place.end_line},
        },
    }
