"""Groups as a table of HTML, a column for each option."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grouper.group.grouping import Grouping
from grouper.options.values import value_text
from grouper.reports.html.elements import Element, code, element, folded, joined, table
from grouper.text.printable import count_phrase, size_phrase

MOST_NAMES = 200  # that a fold shows
MOST_ROWS = 100


@dataclass(frozen=True)
class Row:
    """A group as the table shows it: `options` are written as rules write them."""

    name: str
    tensors: Sequence[str]
    parameters: int
    options: dict[str, str]


def grouping_html(grouping: Grouping) -> Element:
    """The table, and what is frozen."""
    several = len({group.optimizer for group in grouping.groups}) > 1
    rows = [
        Row(
            group.name,
            [parameter.name for parameter in group.parameters],
            sum(parameter.numel or 0 for parameter in group.parameters),
            {
                **({"optimizer": group.optimizer or ""} if several else {}),
                **{key: value_text(v) for key, v in {**group.options, **group.plan}.items()},
            },
        )
        for group in grouping.groups
    ]
    parts = [groups_html(rows)]
    if grouping.frozen:
        size = size_phrase(sum(p.numel or 0 for p in grouping.frozen))
        head = f"frozen: {count_phrase(grouping.frozen, 'tensor')}, {size}"
        parts.append(folded(head, names_html(p.name for p in grouping.frozen)))
    return joined(parts)


def groups_html(rows: Sequence[Row]) -> Element:
    """The rows as a table, and the names of their tensors in a fold."""
    if not rows:
        return element("p", "no groups")
    keys = list(dict.fromkeys(key for row in rows for key in row.options))
    head = ["group", "tensors", "parameters", *(code(key) for key in keys)]
    cells = [
        [
            code(row.name),
            f"{len(row.tensors):,}",
            f"{row.parameters:,}",
            *(code(row.options[key]) if key in row.options else "" for key in keys),
        ]
        for row in rows[:MOST_ROWS]
    ]
    parts = [table(head, cells, frozenset(range(1, len(head))))]
    if len(rows) > MOST_ROWS:
        parts.append(element("p", f"and {len(rows) - MOST_ROWS:,} more groups"))
    listed = [joined([code(row.name), names_html(row.tensors)]) for row in rows[:MOST_ROWS]]
    return joined([*parts, folded("names of the tensors", *listed)])


def names_html(names: Iterable[str]) -> Element:
    """Names, one a line."""
    listed = list(names)
    more = len(listed) - MOST_NAMES
    items = [element("li", code(name)) for name in listed[:MOST_NAMES]]
    if more > 0:
        items.append(element("li", f"and {more:,} more"))
    return element("ul", *items)
