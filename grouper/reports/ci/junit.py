"""JUnit XML, which most CI systems show as test results.

A rules file is a test suite and a finding a test: errors are failures, and warnings and notes are
the output of a passed test. A file without findings is one passed test.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from grouper.checks.report import Report
from grouper.reports.ci.concise import result
from grouper.reports.ci.entries import Entry, entries, repository_path
from grouper.reports.output import Output
from grouper.text.findings import Severity


def render_reports(reports: Sequence[Report], _output: Output) -> str:
    root = ElementTree.Element("testsuites", name="grouper")
    for report, findings in entries(reports):
        path = repository_path(report.rules.path)
        suite = ElementTree.SubElement(root, "testsuite", {"name": path, **_counts(findings)})
        for entry in findings:
            _test(suite, entry)
        if not findings:
            ElementTree.SubElement(suite, "testcase", name=result(report), classname=path)
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="us-ascii")
    return text.decode() + "\n"


def _counts(findings: Sequence[Entry]) -> dict[str, str]:
    failures = sum(entry.finding.severity is Severity.ERROR for entry in findings)
    return {"tests": str(max(len(findings), 1)), "failures": str(failures), "errors": "0"}


def _test(suite: ElementTree.Element, entry: Entry) -> None:
    place, severity = entry.place, entry.finding.severity
    name = f"{entry.title} ({place.line}:{place.column})"
    test = ElementTree.SubElement(suite, "testcase", name=name, classname=place.path)
    if severity is Severity.ERROR:
        failure = ElementTree.SubElement(
            test, "failure", message=entry.message, type=entry.finding.code.id
        )
        failure.text = "\n".join(entry.lines)
    else:
        output = ElementTree.SubElement(test, "system-out")
        output.text = "\n".join((f"{severity.value}: {entry.message}", *entry.lines[1:]))
