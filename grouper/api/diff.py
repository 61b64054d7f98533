"""From two reports to the difference between them."""

from __future__ import annotations

from grouper.api.errors import GroupingError
from grouper.checks.report import Report
from grouper.group.diff import Diff
from grouper.group.difference import Side, difference
from grouper.text.arguments import require


def diff(before: Report, after: Report) -> Diff:
    """Which parameters change group or options from one report to the other.

    The reports may be of two rule sets on one model, of one on two models, or of both; `same`
    of the result says that nothing changes. Raises GroupingError where a report has errors, and so
    no groups.
    """
    return difference(_side("before", before, after), _side("after", after, before))


def _side(name: str, report: Report, other: Report) -> Side:
    require(name, report, Report, "the report of `grouper.check(...)`")
    if not report.ok or report.grouping is None:
        raise GroupingError(report)
    same_rules = isinstance(other, Report) and other.rules.path == report.rules.path
    path = report.inventory.path if same_rules else report.rules.path
    return Side(path, report.rules, report.inventory, report.grouping)
