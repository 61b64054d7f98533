"""The lines at the start of a report, which describe the model."""

from __future__ import annotations

from grouper.model.inventory import Inventory
from grouper.reports.lines import Line, styled
from grouper.text.printable import count_phrase, size_phrase, visible


def model_lines(inventory: Inventory) -> list[Line]:
    """The model's kind and size, and remarks on how it was read."""
    key = f", `{visible(inventory.key)}`" if inventory.key else ""
    facts = f"{count_phrase(inventory.parameters, 'tensor')}, {size_phrase(inventory.numel)}"
    head = styled((visible(inventory.path), "bold"), f" ({visible(inventory.kind)}{key}): {facts}")
    return [head, *(styled((f"  {visible(remark)}", "dim")) for remark in inventory.remarks)]
