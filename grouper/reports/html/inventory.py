"""A model's parameters as an HTML table."""

from __future__ import annotations

from itertools import islice

from grouper.model.inventory import Inventory
from grouper.reports.html.elements import Element, code, element, joined, lines, table
from grouper.reports.inventory import HEAD, rows_of
from grouper.reports.model_lines import model_lines

MOST_ROWS = 200


def inventory_html(inventory: Inventory) -> Element:
    """The output of `grouper params` as HTML, cut to MOST_ROWS."""
    rows = [[code(cell) for cell in row] for row in islice(rows_of(inventory), MOST_ROWS)]
    parts = [lines(model_lines(inventory)), table(HEAD, rows, frozenset())]
    more = len(inventory.parameters) - len(rows)
    if more:
        parts.append(element("p", f"and {more:,} more tensors"))
    return joined(parts)
