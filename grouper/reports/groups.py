"""The groups as a table, and with the names of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grouper.checks.report import Report
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.options.values import value_text
from grouper.reports.finding_text import findings_lines
from grouper.reports.frozen import facts_of, frozen_lines
from grouper.reports.group_lines import table_lines
from grouper.reports.group_table import GroupTable, entries_of, group_table
from grouper.reports.lines import Line, styled
from grouper.reports.model_lines import model_lines
from grouper.reports.output import Output
from grouper.text.printable import visible


def render_groups(report: Report, output: Output) -> str:
    groups = groups_lines(report, output)
    problems = _problems(report, output)
    return output.text([*model_lines(report.inventory), Line(), *groups, *problems])


def render_names(report: Report, output: Output) -> str:
    lines = names_lines(report.grouping) if report.grouping is not None else []
    return output.text([*lines, *_problems(report, output)])


def groups_lines(report: Report, output: Output) -> Iterator[Line]:
    """The table of groups, and what is frozen and by what."""
    if report.grouping is not None:
        table = table_of(report, output.verbose)
        yield from table_lines(table, output)
        yield from _rest_lines(report.grouping, output)
        yield from frozen_lines(report.grouping, report.assignment, output)


def grouping_lines(grouping: Grouping, output: Output) -> Iterator[Line]:
    """The same lines for groups whose rules are not known."""
    yield from table_lines(group_table(entries_of(grouping), exact=output.verbose), output)
    yield from _rest_lines(grouping, output)
    yield from frozen_lines(grouping, None, output)


def table_of(report: Report, exact: bool = False) -> GroupTable:
    """The table of a report's groups."""
    assert report.grouping is not None
    return group_table(entries_of(report.grouping, report.assignment), report.rules, exact)


def names_lines(grouping: Grouping) -> Iterator[Line]:
    """Each group with its options, and the names of its parameters, one per line."""
    for group in grouping.groups:
        options = visible(options_line(group, group.optimizer is not None))
        yield styled((visible(group.name), "green"), f"  {options}")
        for parameter in group.parameters:
            yield styled(f"    {visible(' = '.join(parameter.names))}")
    if grouping.frozen:
        yield styled(("frozen", "dim"))
        for parameter in grouping.frozen:
            yield styled((f"    {visible(' = '.join(parameter.names))}", "dim"))


def options_line(group: Group, with_optimizer: bool) -> str:
    """A group's options in the syntax of rules."""
    options = {**group.options, **group.plan}
    text = " ".join(f"{key}={value_text(value)}" for key, value in options.items())
    return f"{text} optimizer={group.optimizer}" if with_optimizer else text


def _rest_lines(grouping: Grouping, output: Output) -> Iterator[Line]:
    """The parameters in no group."""
    if grouping.unmatched:
        facts = facts_of(grouping.unmatched)
        yield styled((f"  in no group: {facts}", "yellow"))


def _problems(report: Report, output: Output) -> Sequence[Line]:
    return () if report.ok else [Line(), *findings_lines(report.findings, output.quieter())]
