"""The report for people: the model, the groups, the findings, one closing line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from grouper.checks.report import Report
from grouper.findings import Finding, Severity
from grouper.group.grouping import Grouping
from grouper.model.inventory import Inventory
from grouper.reports.finding_text import print_findings
from grouper.reports.groups import print_groups
from grouper.reports.output import Output
from grouper.text.printable import count_phrase, size_phrase, visible


def render_reports(reports: Sequence[Report], output: Output) -> str:
    """The report; several under the names of their rules, and how many of them are sound."""
    if len(reports) == 1:
        return output.printed(lambda out: print_report(reports[0], out, output.quiet))
    return output.printed(lambda out: _print_reports(reports, out, output.quiet))


def render_findings(report: Report, output: Output) -> str:
    """The findings and the closing line, without the groups."""
    return output.printed(lambda out: _print_findings(report, out, output.quiet))


def print_report(report: Report, out: Console, quiet: bool = False) -> None:
    """The model, the groups, the findings, and a closing line with the result."""
    if report.has_model and not quiet:
        print_model(report.inventory, out)
    _print_result(report, out, quiet)


def _print_reports(reports: Sequence[Report], out: Console, quiet: bool) -> None:
    """The model once, the result of each rules file, and a closing line on all."""
    if reports[0].has_model and not quiet:
        print_model(reports[0].inventory, out)
    for report in reports:
        _print_result(report, out, quiet, f"{visible(report.rules.path)}: ")
    faulty = sum(not report.ok for report in reports)
    if faulty or not quiet:
        rest = f", {faulty} with errors" if faulty else ""
        out.print(Text(f"{len(reports)} files: {len(reports) - faulty} sound{rest}", "bold"))


def _print_result(report: Report, out: Console, quiet: bool, name: str = "") -> None:
    if report.has_model and report.grouping is not None and not quiet:
        print_groups(report.grouping, out)
    print_findings(report.findings, out, quiet)
    if not quiet or not report.ok:
        closing = closing_line(report.findings, report.grouping)
        out.print(Text.assemble(name, closing), soft_wrap=True)


def report_text(report: Report) -> str:
    """What `print_report` prints, as plain text."""
    return Output(color="never", width=100).printed(lambda out: print_report(report, out))


def _print_findings(report: Report, out: Console, quiet: bool) -> None:
    print_findings(report.findings, out, quiet)
    out.print(closing_line(report.findings, report.grouping), soft_wrap=True)


def print_model(inventory: Inventory, out: Console) -> None:
    """The model's kind and size, and remarks on how it was read."""
    for line in model_lines(inventory):
        out.print(line, soft_wrap=True)


def model_lines(inventory: Inventory) -> list[Text]:
    """The lines that `print_model` prints."""
    key = f", `{visible(inventory.key)}`" if inventory.key else ""
    facts = f"{count_phrase(inventory.parameters, 'tensor')}, {size_phrase(inventory.numel)}"
    head = Text.assemble(
        (visible(inventory.path), "bold"), f" ({visible(inventory.kind)}{key}): {facts}"
    )
    return [head, *(Text(f"  {visible(remark)}", "dim") for remark in inventory.remarks)]


def closing_line(findings: Iterable[Finding], grouping: Grouping | None) -> Text:
    """The last line: the numbers of findings, and whether groups can be built."""
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    phrases = [f"{n} {s.value}{'s' * (n != 1)}" for s, n in counts.items() if n]
    if counts[Severity.ERROR]:
        return Text.assemble(("no groups: ", "bold red"), ", ".join(phrases))
    rest = f"; {', '.join(phrases)}" if phrases else ""
    if grouping is None:
        return Text.assemble(("the rules are sound", "bold green"), rest)
    total = len(grouping.groups)
    ok = f"ok: {total} group{'s' * (total != 1)}"
    return Text.assemble((ok, "bold green"), rest)
