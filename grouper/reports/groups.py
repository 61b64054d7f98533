"""The groups as a table, and with the names of their parameters."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grouper.checks.report import Report
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.options.values import value_text
from grouper.reports.finding_text import print_findings
from grouper.reports.output import Output
from grouper.text.printable import count_phrase, size_phrase, visible


def render_groups(report: Report, output: Output) -> str:
    return output.printed(lambda out: _print(report, out, print_groups))


def render_names(report: Report, output: Output) -> str:
    return output.printed(lambda out: _print(report, out, print_names))


def _print(report: Report, out: Console, draw: Callable[[Grouping, Console], None]) -> None:
    if report.grouping is not None:
        draw(report.grouping, out)
    if not report.ok:
        print_findings(report.findings, out, quiet=True)


def print_groups(grouping: Grouping, out: Console) -> None:
    """The table of groups, and how many parameters are frozen."""
    if grouping.groups:
        table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
        table.add_column("group", overflow="fold")
        table.add_column("tensors", justify="right")
        table.add_column("parameters", justify="right")
        table.add_column("options", overflow="fold")
        several = len({group.optimizer for group in grouping.groups}) > 1
        for group in grouping.groups:
            table.add_row(
                Text(visible(group.name), "green"),
                f"{len(group.parameters):,}",
                f"{sum(p.numel or 0 for p in group.parameters):,}",
                Text(visible(options_line(group, several))),
            )
        out.print()
        out.print(Padding(table, (0, 0, 0, 2), expand=False))
    if grouping.frozen:
        size = size_phrase(sum(p.numel or 0 for p in grouping.frozen))
        frozen = f"  frozen: {count_phrase(grouping.frozen, 'tensor')}, {size}"
        out.print(Text(frozen, "dim"), soft_wrap=True)
    out.print()


def print_names(grouping: Grouping, out: Console) -> None:
    """Each group with its options and its parameters' names, one a line."""
    for group in grouping.groups:
        options = visible(options_line(group, group.optimizer is not None))
        head = Text.assemble((visible(group.name), "green"), f"  {options}")
        out.print(head, soft_wrap=True)
        for parameter in group.parameters:
            out.print(Text(f"    {visible(' = '.join(parameter.names))}"), soft_wrap=True)
    if grouping.frozen:
        out.print(Text("frozen", "dim"))
        for parameter in grouping.frozen:
            out.print(Text(f"    {visible(' = '.join(parameter.names))}", "dim"), soft_wrap=True)


def options_line(group: Group, with_optimizer: bool) -> str:
    """A group's options as a rule would write them."""
    options = {**group.options, **group.plan}
    written = " ".join(f"{key}={value_text(value)}" for key, value in options.items())
    return f"{written} optimizer={group.optimizer}" if with_optimizer else written
