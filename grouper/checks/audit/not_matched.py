"""The tensors of an optimizer cannot be identified as parameters of the model.

The state of an optimizer in a file refers to its parameters by numbers, and has names only if it
was built from named parameters (torch 2.6 and later). Without names, grouper looks for a division
of the model's parameters that fits the groups' numbers of tensors and their shapes. There is none
if the checkpoint belongs to another model.

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
    """One finding if no tensor can be identified."""
    if audited.is_matched:
        return
    tensors = [stray for group in audited.groups for stray in group.group.strays]
    names = tuple(stray.name for stray in tensors if stray.name is not None)
    how = "have other names" if names else "have other shapes"
    count = count_phrase(audited.inventory.parameters)
    yield Finding(
        CODE,
        f"the optimizer has {count_phrase(tensors, 'tensor')}, but the model's {count}"
        f" {'are different ones' if audited.is_live else how}",
        parameters=names,
        help="pass the model that it trains"
        + ("" if audited.is_live else " (`--model MODEL`), or audit the live optimizer:")
        + " `grouper.audit(optimizer, model)`" * (not audited.is_live),
    )
