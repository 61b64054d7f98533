"""Findings for people: message, excerpt of the rules, parameters, notes, help."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from grouper.findings import Finding, Severity
from grouper.reports.excerpt import excerpt
from grouper.text.fold import folded_list
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
        names = folded_list(finding.parameters, MOST_PATTERNS, quote="")
        lines.append(_fact(margin, "parameters", names))
    lines += [_fact(margin, "note", note) for note in finding.notes]
    if finding.help:
        lines.append(_fact(margin, "help", finding.help))
    return lines


def _fact(margin: str, word: str, content: str) -> Text:
    return Text.assemble((f"{margin}= ", "blue"), (f"{word}: ", "bold"), visible(content))
