"""The file does not tell whether these are parameters or buffers: they are in groups as parameters.

Frozen batch norms (torchvision's, Detectron2's and DETR's `FrozenBatchNorm2d`) keep their weight
and bias as buffers, and are saved like the batch norms that torch before 0.4.1 saved. If they are
buffers, the groups of the live model lack them.

    grouper params my_project.models:build --save model.json  # the live model tells
    grouper check model.json my.rules
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR119", "parameter-or-buffer", Severity.NOTE, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for all, with how many there are in each group."""
    unsure = [parameter for parameter in context.inventory.parameters if parameter.unsure]
    if not unsure:
        return
    ids = {id(parameter) for parameter in unsure}
    in_groups = {
        group.name: sum(id(parameter) in ids for parameter in group.parameters)
        for group in context.grouping.groups
    }
    yield Finding(
        CODE,
        f"{count_phrase(unsure)} may be buffers: their norms count no batches",
        parameters=context.names(unsure),
        notes=tuple(f"{count} in `{name}`" for name, count in in_groups.items() if count),
        help="check the live model instead (`grouper.check(model, rules)`), or a snapshot of it",
    )
