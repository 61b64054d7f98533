"""Groups of an optimizer, which contain tensors, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grouper.options.values import Value
from grouper.reports.families import Entry
from grouper.reports.group_lines import table_lines
from grouper.reports.group_table import group_table
from grouper.reports.lines import Line
from grouper.reports.output import Output

KEYS = ("params", "name", "param_names")  # a group's other keys are options


def bound_entries(groups: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """An entry for each group; a group without a name is called by its number."""
    return [_entry(number, group) for number, group in enumerate(groups)]


def bound_lines(groups: Sequence[Mapping[str, Any]], output: Output) -> Iterator[Line]:
    """The table of the groups, like that of `grouper groups`."""
    return table_lines(group_table(bound_entries(groups)), output)


def _entry(number: int, group: Mapping[str, Any]) -> Entry:
    tensors = list(_named(group))
    return Entry(
        str(group.get("name", number)),
        [name for name, _ in tensors],
        sum(tensor.numel() for _, tensor in tensors),
        {key: _option(value) for key, value in group.items() if key not in KEYS},
    )


def _named(group: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The tensors with their names, or with numbers if the group has no names."""
    names = group.get("param_names") or ()
    for number, param in enumerate(group["params"]):
        if isinstance(param, tuple):
            yield param
        else:
            yield (names[number] if number < len(names) else f"tensor {number}"), param


def _option(value: Any) -> Value:
    plain = value is None or isinstance(value, bool | int | float | str | tuple)
    return value if plain else repr(value)
