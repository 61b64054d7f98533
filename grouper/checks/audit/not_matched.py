"""It cannot be determined which parameters of the model an optimizer has.

The state of an optimizer in a file has numbers for its parameters, and names only where it was
built from named ones (torch 2.6 and later). Without names, grouper looks for a division of the
model's parameters that has the groups' numbers of tensors and their shapes. There is none where the
checkpoint is another model's.

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)          # numbers
    optimizer = torch.optim.SGD(model.named_parameters(), lr=0.1)    # good: names in the file
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.audit.audited import Audited
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR607", "not-matched", Severity.ERROR, __doc__ or "")


def check(audited: Audited) -> Iterator[Finding]:
    """One finding where no tensor is known."""
    if audited.is_matched:
        return
    tensors = [stray for group in audited.groups for stray in group.group.strays]
    named = tuple(stray.name for stray in tensors if stray.name is not None)
    how = "do not have their names" if named else "do not have their shapes"
    count = count_phrase(audited.inventory.parameters)
    yield Finding(
        CODE,
        f"the optimizer has {count_phrase(tensors, 'tensor')}, and the model's {count}"
        f" {'are others' if audited.is_live else how}",
        parameters=named,
        help="give the model that it trains"
        + ("" if audited.is_live else " (`--model MODEL`), or audit the live optimizer:")
        + " `grouper.audit(optimizer, model)`" * (not audited.is_live),
    )
