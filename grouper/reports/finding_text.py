"""Findings as text: message, excerpt of the rules, parameters, notes, help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grouper.reports.excerpt import excerpt
from grouper.reports.lines import Line, styled, wrapped
from grouper.reports.output import Output
from grouper.reports.patterns import pattern_lines
from grouper.text.findings import Finding, Severity
from grouper.text.printable import visible

COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
STYLES = {severity: f"bold {color}" for severity, color in COLORS.items()}
OF_EXCERPTS = {"place": "blue", "source": "", "secondary": "blue"}
PLAIN = Output(color="never")


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings sorted by severity: errors, warnings, notes."""
    return sorted(findings, key=lambda finding: list(Severity).index(finding.severity))


def findings_text(findings: Iterable[Finding], output: Output) -> str:
    """The printed text of the findings."""
    return output.text(findings_lines(findings, output))


def findings_lines(findings: Iterable[Finding], output: Output) -> Iterator[Line]:
    """The findings, most severe first, each with its excerpt; a quiet output omits notes."""
    for finding in worst_first(findings):
        if not (output.quiet and finding.severity is Severity.NOTE):
            yield from finding_lines(finding, output)
            yield Line()


def finding_lines(finding: Finding, output: Output = PLAIN) -> list[Line]:
    """A finding as lines: message, excerpt, parameters, notes, help."""
    color = COLORS[finding.severity]
    head = styled(
        (f"{finding.severity.value}[{finding.code.id}]", STYLES[finding.severity]),
        (f" {finding.code.name}: {visible(finding.message)}", "bold"),
    )
    lines = list(wrapped(head, output.columns, 4))
    margin = "  "
    for line in excerpt(finding, output.columns):
        style = color if line.style == "primary" else OF_EXCERPTS[line.style]
        lines.append(styled((line.margin, "blue"), (line.text, style)))
        if line.style == "source" and "|" in line.margin:
            margin = " " * line.margin.index("|")
    if finding.parameters:
        lines += _names(margin, finding.parameters, output)
    for note in finding.notes:
        lines += _fact(margin, "note", note, output)
    if finding.help:
        lines += _fact(margin, "help", finding.help, output)
    return lines


def _names(margin: str, names: tuple[str, ...], output: Output) -> Iterator[Line]:
    label = "parameters: "
    indent = len(margin) + 2 + len(label)
    first, *rest = pattern_lines(names, output, output.columns - indent)
    yield styled((f"{margin}= ", "blue"), (label, "bold"), first)
    yield from (styled(f"{' ' * indent}{line}") for line in rest)


def _fact(margin: str, word: str, content: str, output: Output) -> Iterator[Line]:
    line = styled((f"{margin}= ", "blue"), (f"{word}: ", "bold"), visible(content))
    return wrapped(line, output.columns, len(margin) + len(word) + 4)
