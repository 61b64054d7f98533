"""The file cannot distinguish these parameters from buffers; they are treated as parameters.

Frozen batch norms (`FrozenBatchNorm2d` of torchvision, Detectron2 and DETR) keep their weight and
bias as buffers, and look in a file like batch norms saved by torch before 0.4.1. If they are
buffers, they are not in the groups of the live model.

    grouper params my_project.models:build --save model.json  # reads the live model
    grouper check model.json my.rules
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.context import Context
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR119", "parameter-or-buffer", Severity.NOTE, __doc__ or "")


def check(context: Context) -> Iterator[Finding]:
    """One finding for all such tensors, with their number in each group."""
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
        f"{count_phrase(unsure)} may be buffers: their norms have no `num_batches_tracked`",
        parameters=context.names(unsure),
        notes=tuple(f"{count} in `{name}`" for name, count in in_groups.items() if count),
        help="check the live model instead (`grouper.check(model, rules)`), or a snapshot of it",
    )
