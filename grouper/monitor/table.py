"""A run's last record as a rich table, still or live."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from grouper.monitor.record import GroupFacts, Measurement, Record, Run
from grouper.monitor.verdicts import verdicts

COLUMNS = ("group", "lr", "momentum", "gradient", "weights", "update/weight", "zero", "non-finite")


def table(run: Run) -> Group:
    """The last record, one line a group, and under it what is wrong in words."""
    if not run.records:
        return Group(Text("no records yet"))
    last = run.records[-1]
    wrong = verdicts(run)
    marked = {verdict.group for verdict in wrong}
    grid = Table(title=f"step {last.step}", title_justify="left", box=None, pad_edge=False)
    for i, column in enumerate(COLUMNS):
        grid.add_column(column, justify="right" if i else "left", overflow="fold")
    for name, measured in last.groups.items():
        style = "red" if name in marked else ""
        grid.add_row(Text(name, style), *(Text(cell, style) for cell in _cells(measured)))
    lines: list[Table | Text] = [grid]
    lines += [Text(verdict.message, "red") for verdict in wrong]
    if last.untouched:
        lines.append(Text(_untouched(last.untouched), "yellow"))
    if run.broken:
        lines.append(Text(f"{run.broken} lines of the file could not be read", "yellow"))
    return Group(*lines)


class LiveTable:
    """The table of a running training; hand it to `Monitor(..., on_record=...)`.

    A context manager: the terminal is its own again when it ends.
    """

    def __init__(self, groups: dict[str, GroupFacts] | None = None) -> None:
        self._groups = groups or {}
        self._records: list[Record] = []
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=False)

    def __call__(self, record: Record) -> None:
        self._records = [*self._records[-99:], record]
        self._live.update(table(Run(self._groups, tuple(self._records))), refresh=True)

    def __enter__(self) -> LiveTable:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def _cells(measured: Measurement) -> tuple[str, ...]:
    return (
        f"{measured.lr:.3g}",
        _number(measured.momentum),
        _number(measured.gradient_norm),
        _number(measured.weight_norm),
        _number(measured.update_ratio, ".1e"),
        _share(measured.zero_gradients),
        _share(measured.nonfinite_gradients),
    )


def _number(value: float | None, form: str = ".3g") -> str:
    return "-" if value is None else format(value, form)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _untouched(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"`{names[0]}` never had a gradient"
    return f"{len(names)} parameters never had a gradient: `{names[0]}`, ... `{names[-1]}`"
