"""A group has tensors that are not the model's.

Layers were replaced after the optimizer was built, or the model was copied, or its parameters were
made anew by a cast: steps change the old tensors, and the new ones stay as they are. A loss with
parameters of its own is part of what is trained: audit it with the model.

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
    named = tuple(stray.name for stray in strays if stray.name is not None)
    shapes = dict.fromkeys(_shape(s.shape) for s in strays if s.shape is not None)
    listed = ", ".join(list(shapes)[:MOST_SHAPES]) + ", ..." * (len(shapes) > MOST_SHAPES)
    one = len(strays) == 1
    yield Finding(
        CODE,
        f"{count_phrase(strays, 'tensor')} in {group_list(groups)} {'is' if one else 'are'} not the"
        f" model's: steps change {'it' if one else 'them'}, and the model does not see it",
        parameters=named,
        notes=(f"{'its shape is' if one else 'their shapes are'} {listed}",) if shapes else (),
        help="build the optimizer after all layers are in their places; where a loss has parameters"
        " of its own, audit both: `grouper.audit(optimizer, nn.ModuleList([model, loss]))`",
    )


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"
