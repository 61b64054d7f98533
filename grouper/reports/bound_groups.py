"""Groups as an optimizer takes them, with tensors in them, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grouper.options.values import value_text
from grouper.reports.html.groups import Row
from grouper.text.printable import visible

KEYS = ("params", "name", "param_names")  # of a group; the others are options


def bound_rows(groups: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each group; one without a name has its number."""
    return [_row(number, group) for number, group in enumerate(groups)]


def print_bound(groups: Sequence[Mapping[str, Any]], out: Console) -> None:
    """The table that `grouper groups` prints."""
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("group", overflow="fold")
    table.add_column("tensors", justify="right")
    table.add_column("parameters", justify="right")
    table.add_column("options", overflow="fold")
    for row in bound_rows(groups):
        options = " ".join(f"{key}={value}" for key, value in row.options.items())
        cells = (f"{len(row.tensors):,}", f"{row.parameters:,}", Text(visible(options)))
        table.add_row(Text(visible(row.name)), *cells)
    out.print(table)


def _row(number: int, group: Mapping[str, Any]) -> Row:
    tensors = list(_named(group))
    return Row(
        str(group.get("name", number)),
        [name for name, _ in tensors],
        sum(tensor.numel() for _, tensor in tensors),
        {key: _option(value) for key, value in group.items() if key not in KEYS},
    )


def _named(group: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The tensors with their names, where the group has them."""
    names = group.get("param_names") or ()
    for number, param in enumerate(group["params"]):
        if isinstance(param, tuple):
            yield param
        else:
            yield (names[number] if number < len(names) else f"tensor {number}"), param


def _option(value: Any) -> str:
    plain = value is None or isinstance(value, bool | int | float | str | tuple)
    return value_text(value) if plain else repr(value)
