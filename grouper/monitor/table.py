"""A run on the terminal: its last record as a table, and the verdicts below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grouper.monitor.record import Measurement
from grouper.monitor.run import Run
from grouper.monitor.sparkline import BLOCKS, trend
from grouper.monitor.verdicts import Verdict
from grouper.reports.finding_text import STYLES
from grouper.text.findings import Severity, severity_counts
from grouper.text.printable import visible

Part = Text | Padding
GAP = (0, 1, 0, 0)  # a space after every column
COLUMNS = (
    "group",
    "\nlr",
    "momen-\ntum",
    "gradient\nnorm",
    "weight\nnorm",
    "update /\nweight",
    "zero\ngrads",
    "not\nfinite",
    "trend of\nupdates",
)


def report(run: Run, path: str, verdicts: Sequence[Verdict], plain: bool = False) -> list[Part]:
    """A head line, the table, and a line for each verdict; `plain` uses ASCII only."""
    lines: list[Part] = [_head(run, path)]
    if run.records:
        lines += [Text(), Padding(table(run, verdicts, plain), (0, 0, 0, 2), expand=False), Text()]
    lines += [sentence(verdict) for verdict in verdicts]
    if run.broken:
        lines.append(_broken(run.broken))
    if run.records:
        lines.append(closing_line(verdicts))
    return lines


def table(run: Run, verdicts: Sequence[Verdict], plain: bool = False) -> Table:
    """The last record, one row for each group, in the color of the group's verdict."""
    last = run.records[-1]
    styles = {verdict.group: STYLES[verdict.severity] for verdict in reversed(verdicts)}
    grid = Table(
        box=None, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1, 0, 0)
    )
    for column in COLUMNS:
        left = column in (COLUMNS[0], COLUMNS[-1])
        grid.add_column(column, justify="left" if left else "right", overflow="fold")
    for name, measured in last.groups.items():
        style = styles.get(name, "")
        ratios = [r.groups[name].update_ratio for r in run.records if name in r.groups]
        cells = (visible(name), *_cells(measured), trend(ratios, plain=plain))
        grid.add_row(*(Text(cell, style) for cell in cells))
    return grid


def _head(run: Run, path: str) -> Text:
    if not run.records:
        return Text.assemble((visible(path), "bold"), ": no step has been measured yet")
    count = len(run.records[-1].groups)
    first, last = run.records[0].step, run.records[-1].step
    return Text.assemble(
        (visible(path), "bold"),
        f": {count:,} group{'s' * (count != 1)}, step {first:,} to {last:,},"
        f" {run.count:,} measured",
    )


def sentence(verdict: Verdict) -> Text:
    """A verdict in one line."""
    severity = verdict.severity
    return Text.assemble((f"{severity.value}: ", STYLES[severity]), visible(verdict.message))


def _broken(count: int) -> Text:
    lines = "one line of the file" if count == 1 else f"{count:,} lines of the file"
    text = f"{lines} could not be read (a killed process leaves an incomplete one)"
    return Text.assemble(("note: ", STYLES[Severity.NOTE]), text)


def closing_line(verdicts: Sequence[Verdict]) -> Text:
    """The last line: how many errors and warnings there are."""
    severities = [verdict.severity for verdict in verdicts]
    worst = next((STYLES[each] for each in Severity if each in severities), "bold green")
    return Text(", ".join(severity_counts(severities)) or "ok: no problems", worst)


def _cells(measured: Measurement) -> tuple[str, ...]:
    return (
        number(measured.lr),
        number(measured.momentum),
        number(measured.gradient_norm),
        number(measured.weight_norm),
        number(measured.update_ratio),
        _share(measured.zero_gradients),
        _share(measured.nonfinite_gradients),
    )


def number(value: float | None) -> str:
    """Three significant digits without trailing zeros: `0.01`, `1.23e-5`; `-` for None."""
    if value is None:
        return "-"
    mantissa, mark, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else mantissa


def _share(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0%}" if value in (0.0, 1.0) else f"{min(max(value, 0.001), 0.999):.1%}"


def plain(out: Console) -> bool:
    """Whether the console's encoding lacks the block characters of the trend."""
    try:
        BLOCKS.encode(out.encoding)
    except (UnicodeEncodeError, LookupError):
        return True
    return False
