"""Reports for people: findings with their places, the table of groups, one closing line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grouper.checks.report import Report
from grouper.findings import Finding, Severity
from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.model.inventory import Inventory
from grouper.options.values import value_text
from grouper.reports.excerpt import excerpt
from grouper.text.fold import fold
from grouper.text.printable import visible

MOST_PATTERNS = 8
STYLES = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.NOTE: "bold cyan",
    "place": "blue",
    "source": "",
    "primary": "red",
    "secondary": "blue",
}


def console(color: str = "auto", stderr: bool = False) -> Console:
    """A console that prints text as it is: no markup, no emoji, no highlighting.

    `color` is auto (NO_COLOR, FORCE_COLOR and pipes are obeyed), always or never.
    """
    plain = color == "never" or (color == "auto" and os.environ.get("NO_COLOR"))
    return Console(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=True if color == "always" else False if plain else None,
        color_system=None if plain else "auto",
        legacy_windows=False,
    )


def print_report(report: Report, out: Console, quiet: bool = False) -> None:
    """What the model is, the groups, the findings, and whether all is well."""
    if not quiet:
        print_model(report.inventory, out)
        if report.grouping is not None:
            print_groups(report.grouping, out)
    print_findings(report.findings, out, quiet)
    if not quiet or not report.ok:
        out.print(closing_line(report.findings, report.grouping), soft_wrap=True)


def report_text(report: Report) -> str:
    """What `print_report` prints, as plain text."""
    out = Console(
        file=StringIO(), width=100, color_system=None, markup=False, emoji=False, highlight=False
    )
    print_report(report, out)
    file = out.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def print_findings(findings: Iterable[Finding], out: Console, quiet: bool = False) -> None:
    """The findings, each with its excerpt; `quiet` leaves out notes."""
    for finding in findings:
        if quiet and finding.severity is Severity.NOTE:
            continue
        for line in finding_lines(finding):
            out.print(line, soft_wrap=True)
        out.print()


def finding_lines(finding: Finding) -> list[Text]:
    """A finding as lines: message, excerpt, parameters, notes, help."""
    style = STYLES[finding.severity]
    head = Text.assemble(
        (f"{finding.severity.value}[{finding.code.id}]", style),
        (f" {finding.code.name}: ", "bold"),
        (visible(finding.message), "bold"),
    )
    lines = [head]
    margin = "  "
    for line in excerpt(finding):
        lines.append(Text.assemble((line.margin, "blue"), (line.text, STYLES[line.style])))
        if line.style == "source" and "|" in line.margin:
            margin = " " * line.margin.index("|")
    if finding.parameters:
        lines.append(_fact(margin, "parameters", _folded(finding.parameters)))
    lines += [_fact(margin, "note", note) for note in finding.notes]
    if finding.help:
        lines.append(_fact(margin, "help", finding.help))
    return lines


def _fact(margin: str, word: str, content: str) -> Text:
    return Text.assemble((f"{margin}= ", "blue"), (f"{word}: ", "bold"), visible(content))


def _folded(names: tuple[str, ...]) -> str:
    patterns = fold(names)
    if len(patterns) <= MOST_PATTERNS:
        return ", ".join(patterns)
    shown = ", ".join(patterns[:MOST_PATTERNS])
    return f"{shown}, and {len(patterns) - MOST_PATTERNS} more patterns; {len(names)} in all"


def print_model(inventory: Inventory, out: Console) -> None:
    """What the model is, and what is worth knowing of how it was read."""
    out.print(_model_line(inventory), soft_wrap=True)
    for remark in inventory.remarks:
        out.print(Text(f"  {visible(remark)}", "dim"), soft_wrap=True)


def _model_line(inventory: Inventory) -> Text:
    key = f", `{visible(inventory.key)}`" if inventory.key else ""
    facts = f"{len(inventory.parameters):,} parameters, {inventory.numel:,} values"
    return Text.assemble(
        (visible(inventory.path), "bold"), f" ({visible(inventory.kind)}{key}): {facts}"
    )


def print_groups(grouping: Grouping, out: Console) -> None:
    """The table of groups, and how many parameters are frozen."""
    if grouping.groups:
        table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
        table.add_column("group", overflow="fold")
        table.add_column("parameters", justify="right")
        table.add_column("values", justify="right")
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
        out.print(Padding(table, (0, 0, 0, 2)))
    if grouping.frozen:
        count = len(grouping.frozen)
        frozen = f"  frozen: {count:,} parameter{'s' * (count != 1)}"
        out.print(Text(frozen, "dim"), soft_wrap=True)
    out.print()


def options_line(group: Group, with_optimizer: bool) -> str:
    """A group's options as a rule would write them."""
    options = {**group.options, **group.plan}
    written = " ".join(f"{key}={value_text(value)}" for key, value in options.items())
    return f"{written} optimizer={group.optimizer}" if with_optimizer else written


def closing_line(findings: Iterable[Finding], grouping: Grouping | None) -> Text:
    """The last line: what was found, and whether groups can be built."""
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    said = [f"{n} {s.value}{'s' * (n != 1)}" for s, n in counts.items() if n]
    if counts[Severity.ERROR]:
        return Text.assemble(("no groups: ", "bold red"), ", ".join(said))
    found = f"; {', '.join(said)}" if said else ""
    if grouping is None:
        return Text.assemble(("the rules are sound", "bold green"), found)
    total = len(grouping.groups)
    ok = f"ok: {total} group{'s' * (total != 1)}"
    return Text.assemble((ok, "bold green"), found)


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
