"""A report with the plan of a run, as text, CSV, JSON and Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from grouper.checks.report import Report
from grouper.reports.output import Output
from grouper.text.dataclass import dataclass
from grouper.text.findings import Severity
from grouper.train.plan import Plan

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Planned:
    """A report and the plan of its groups, None if the length of the run is not known.

    `stride` is the number of steps between two rows of CSV and JSON.
    """

    report: Report
    plan: Plan | None
    stride: int = 1

    @property
    def course(self) -> Plan:
        """The plan, which must not be None."""
        assert self.plan is not None
        return self.plan


def render_text(planned: Planned, output: Output) -> str:
    from grouper.reports.finding_text import findings_text
    from grouper.reports.model_lines import model_lines

    report = planned.report
    if output.quiet:
        return findings_text(report.findings, output)
    head = output.text(model_lines(report.inventory))
    table = output.printed(lambda out: _draw(planned.course, out))
    has_warnings = any(finding.severity is Severity.WARNING for finding in report.findings)
    problems = findings_text(report.findings, output.quieter()) if has_warnings else ""
    return f"{head}{table}\n{problems}" if problems else head + table


def render_csv(planned: Planned, _output: Output) -> Iterator[str]:
    from grouper.reports.plan.csv import plan_csv

    return plan_csv(planned.course, planned.stride)


def render_json(planned: Planned, _output: Output) -> Iterator[str]:
    from grouper.reports.plan.json import plan_json

    return plan_json(planned.report, planned.course, planned.stride)


def render_groups(planned: Planned, _output: Output) -> str:
    from grouper.reports.groups_json import groups_json

    return groups_json(planned.report, planned.plan) + "\n"


def render_python(planned: Planned, _output: Output) -> str:
    from grouper.reports.python.module import python_code

    return python_code(planned.report, planned.plan)


def _draw(plan: Plan, out: Console) -> None:
    from grouper.reports.plan.curves import print_curves
    from grouper.reports.plan.table import print_table
    from grouper.reports.plan.tracks import NOTHING_TO_TRAIN, tracks_of

    curves = tracks_of(plan)
    if not curves:
        out.print(f"  {NOTHING_TO_TRAIN}, so there is nothing to plan")
        return
    print_table(plan, curves, out)
    print_curves(plan, curves, out)
