"""The table of groups as lines for a terminal of a given width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grouper.reports.families import Row
from grouper.reports.group_table import LR, GroupTable
from grouper.reports.lines import Line, Piece, styled, trimmed, wrapped
from grouper.reports.output import Output
from grouper.text.dataclass import dataclass
from grouper.text.printable import width

MARGIN = "  "
GAP = 2  # columns between two cells
NAMES = 40  # columns for names in a terminal; longer names get a separate line
NOTHING = "-"


@dataclass(frozen=True)
class Column:
    """A column: its cells, aligned right or left. `key` is the option that it shows, if any."""

    head: str
    cells: tuple[str, ...]
    right: bool = True
    key: str | None = None
    style: str = ""

    @property
    def width(self) -> int:
        return max(map(width, (self.head, *self.cells)))


def table_lines(table: GroupTable, output: Output) -> Iterator[Line]:
    """The lines above the table, and the table; options that do not fit are below their row."""
    for shared in table.shared:
        options = " ".join(f"{key}={value}" for key, value in shared.options)
        line = styled(MARGIN, (shared.optimizer, "bold"), f" {options}" if options else "")
        yield from wrapped(line, output.columns, 6)
    if table.plan:
        yield from wrapped(styled(MARGIN, "; ".join(table.plan)), output.columns, 6)
    if not table.rows:
        return
    if table.shared or table.plan:
        yield Line()
    names = Column("group", tuple(row.name for row in table.rows), right=False, style="green")
    room = max(width("group"), min(names.width, NAMES if output.terminal else names.width))
    columns = _fitting(_columns(table, output), output.columns - len(MARGIN) - room)
    keys = {column.key for column in columns}
    heads = [(column.head, "dim") for column in columns]
    yield _line((names.head.ljust(room), "dim"), heads, columns)
    for number, row in enumerate(table.rows):
        name = row.name + " " * (room - width(row.name))
        if width(row.name) > room:
            yield styled(MARGIN, (row.name, "green"))
            name = " " * room
        cells = [(column.cells[number], column.style) for column in columns]
        yield _line((name, "green"), cells, columns)
        yield from _below(row, [key for key in table.keys if key not in keys], output)


def _columns(table: GroupTable, output: Output) -> list[Column]:
    """All columns after the names, most important first."""
    columns = [Column("tensors", tuple(f"{row.tensors:,}" for row in table.rows))]
    columns.append(Column("parameters", tuple(f"{row.parameters:,}" for row in table.rows)))
    if any(row.groups > 1 for row in table.rows):
        counts = tuple(f"{row.groups:,}" if row.groups > 1 else "" for row in table.rows)
        columns.insert(0, Column("groups", counts))
    for key in table.keys:
        cells = tuple(row.cells.get(key, NOTHING) for row in table.rows)
        columns.append(Column(key, cells, key=key))
        if key == LR and any(row.factor for row in table.rows):
            times = output.sign("×", "x")
            factors = tuple(f"{times}{row.factor}" if row.factor else "" for row in table.rows)
            columns.append(Column("", factors, right=False, style="dim"))
    return columns


def _fitting(columns: Sequence[Column], room: int) -> list[Column]:
    """The columns that fit: first the factors are dropped, then the numbers of groups, then the
    options from the last to the first."""
    fitting = list(columns)
    droppable = [c for head in ("", "groups") for c in columns if c.head == head and not c.key]
    droppable += [c for c in reversed(columns) if c.key]
    for column in droppable:
        if sum(GAP + each.width for each in fitting) <= room:
            break
        fitting.remove(column)
    return fitting


def _line(name: Piece, cells: Iterable[Piece], columns: Sequence[Column]) -> Line:
    pieces = [(MARGIN, ""), name]
    for (text, style), column in zip(cells, columns, strict=True):
        padding = " " * (column.width - width(text))
        cell = f"{padding}{text}" if column.right else f"{text}{padding}"
        pieces += [(" " * GAP, ""), (cell, style)]
    return trimmed(pieces)


def _below(row: Row, keys: Sequence[str], output: Output) -> Iterator[Line]:
    options = " ".join(f"{key}={row.cells[key]}" for key in keys if key in row.cells)
    if options:
        yield from wrapped(styled(f"{MARGIN}    {options}"), output.columns, 6)
