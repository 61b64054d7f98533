"""A run for people: its last record as a table, and what is wrong with it in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grouper.findings import Severity
from grouper.monitor.record import Measurement
from grouper.monitor.run import Run
from grouper.monitor.sparkline import BLOCKS, trend
from grouper.monitor.verdicts import Verdict
from grouper.reports.terminal import STYLES
from grouper.text.printable import visible

Part = Text | Padding
GAP = (0, 1, 0, 0)  # a space behind every column
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


def report(run: Run, path: str, said: Sequence[Verdict], plain: bool = False) -> list[Part]:
    """What the file holds, the table, and under it what is wrong; `plain` keeps to ASCII."""
    lines: list[Part] = [_head(run, path)]
    if run.records:
        lines += [Text(), Padding(table(run, said, plain), (0, 0, 0, 2), expand=False), Text()]
    lines += [sentence(verdict) for verdict in said]
    if run.broken:
        lines.append(_broken(run.broken))
    if run.records:
        lines.append(closing_line(said))
    return lines


def table(run: Run, said: Sequence[Verdict], plain: bool = False) -> Table:
    """The last record, one row a group; a row has the color of what is said of it."""
    last = run.records[-1]
    styles = {verdict.group: STYLES[verdict.severity] for verdict in reversed(said)}
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
    text = f"{lines} could not be read (a process that is killed leaves one cut short)"
    return Text.assemble(("note: ", STYLES[Severity.NOTE]), text)


def closing_line(said: Sequence[Verdict]) -> Text:
    """The last line: how much is wrong."""
    counts = {s: sum(v.severity is s for v in said) for s in Severity}
    words = ", ".join(f"{n} {s.value}{'s' * (n != 1)}" for s, n in counts.items() if n)
    worst = next((STYLES[severity] for severity in Severity if counts[severity]), "bold green")
    return Text(words or "ok: nothing is wrong", worst)


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
    """Three digits, in as few characters as they need: `0.01`, `1.23e-5`, `-` for None."""
    if value is None:
        return "-"
    mantissa, mark, exponent = f"{value:.3g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else mantissa


def _share(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0%}" if value in (0.0, 1.0) else f"{min(max(value, 0.001), 0.999):.1%}"


def plain(out: Console) -> bool:
    """Whether a console has no letters for blocks."""
    try:
        BLOCKS.encode(out.encoding)
    except (UnicodeEncodeError, LookupError):
        return True
    return False
