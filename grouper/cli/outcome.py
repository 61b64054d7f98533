"""Output and exit status of a command when groups or a plan cannot be made."""

from __future__ import annotations

import argparse
import sys

from grouper.checks import missing_lr
from grouper.checks.claim_awaits_plan import settled
from grouper.checks.report import Report
from grouper.cli.exit import FOUND, Failure
from grouper.cli.flags import Length, output
from grouper.cli.select import selection
from grouper.cli.streams import report as report_line
from grouper.cli.write import emit
from grouper.reports.formats import FINDINGS, FOR_PEOPLE
from grouper.text.dataclass import replace
from grouper.text.findings import Severity, in_order
from grouper.text.printable import visible
from grouper.train.plan import Plan


def print_no_groups(report: Report, arguments: argparse.Namespace, to_program: bool = False) -> int:
    """Print the findings and return exit status 1. With `to_program`, text goes to standard
    error."""
    name = arguments.format if arguments.format in FINDINGS.renderers else FOR_PEOPLE[0]
    stream = sys.stderr if to_program and name in FOR_PEOPLE else sys.stdout
    emit(FINDINGS.render(name, report, output(arguments, stream)), stream)
    return FOUND


def print_no_plan(
    report: Report, why: ValueError, arguments: argparse.Namespace, to_program: bool = False
) -> int:
    """Print why valid groups cannot be planned: the findings, with a missing lr as an error, and a
    line that names the group. Return exit status 1; raise Failure for other reasons."""
    findings = missing_lr.required(report.findings)
    if findings == report.findings:
        raise Failure(str(why)) from why
    status = print_no_groups(replace(report, findings=findings), arguments, to_program)
    report_line(f"error: {visible(str(why))}")
    return status


def planned(
    report: Report, length: Length, arguments: argparse.Namespace, to_program: bool
) -> tuple[Report, Plan] | int:
    """The report on a run and its plan. If there is none, print why and return the exit status."""
    from grouper.api.plan import plan_of

    if not report.ok or report.grouping is None:
        return print_no_groups(report, arguments, to_program)
    try:
        plan = plan_of(report, report.grouping, *length)
    except ValueError as error:
        return print_no_plan(report, error, arguments, to_program)
    report = with_plan(report, plan, arguments)
    return (report, plan) if report.ok else print_no_groups(report, arguments, to_program)


def with_plan(report: Report, plan: Plan, arguments: argparse.Namespace) -> Report:
    """The report with the findings on a plan of its groups, filtered by the flags."""
    findings = in_order((*settled(report.findings), *plan.findings))
    return selection(arguments).of(replace(report, findings=findings))


def print_warnings(report: Report, arguments: argparse.Namespace) -> None:
    """Print the report's warnings to standard error."""
    if any(finding.severity is Severity.WARNING for finding in report.findings):
        from grouper.reports.finding_text import findings_text

        to = output(arguments, sys.stderr).quieter()
        emit(findings_text(report.findings, to), sys.stderr)
