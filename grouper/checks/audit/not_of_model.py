"""A group has tensors that do not belong to the model.

Layers were replaced after the optimizer was built, the model was copied, or its parameters were
recreated by a cast: steps update the old tensors, and the new ones do not change. If a loss has its
own parameters, audit it together with the model.

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.head = torch.nn.Linear(8, 4)                              # bad: the optimizer has the old

    model.head = torch.nn.Linear(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)         # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.audit.audited import Audited, group_list
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR604", "not-of-model", Severity.ERROR, __doc__ or "")
MOST_SHAPES = 4


def check(audited: Audited) -> Iterator[Finding]:
    """One finding for all such tensors."""
    groups = [group for group in audited.groups if group.group.strays]
    if not groups or not audited.is_matched:
        return
    strays = [stray for group in groups for stray in group.group.strays]
    names = tuple(stray.name for stray in strays if stray.name is not None)
    shapes = dict.fromkeys(_shape(s.shape) for s in strays if s.shape is not None)
    shape_list = ", ".join(list(shapes)[:MOST_SHAPES]) + ", ..." * (len(shapes) > MOST_SHAPES)
    one = len(strays) == 1
    yield Finding(
        CODE,
        f"{count_phrase(strays, 'tensor')} in {group_list(groups)}"
        f" {'does' if one else 'do'} not belong to the model: updates of"
        f" {'it' if one else 'them'} do not affect it",
        parameters=names,
        notes=(f"{'its shape is' if one else 'their shapes are'} {shape_list}",) if shapes else (),
        help="build the optimizer after all layers are in place; if a loss has its own parameters,"
        " audit both: `grouper.audit(optimizer, nn.ModuleList([model, loss]))`",
    )


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"
