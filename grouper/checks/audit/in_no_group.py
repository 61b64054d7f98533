"""A trainable parameter is not in any group of the optimizer.

It gets gradients, but no step changes it: a layer was omitted, or added after the optimizer was
built. If a file does not contain which parameters are frozen, this is a note.

    optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)    # bad: the backbone never trains

    model.backbone.requires_grad_(False)                            # good: it is frozen explicitly
    optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.audit.audited import Audited
from grouper.model.adapters import ADAPTER
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR601", "in-no-group", Severity.ERROR, __doc__ or "")


def check(audited: Audited) -> Iterator[Finding]:
    """One finding for trainable parameters, and a note for those that may be frozen."""
    if not audited.is_matched:
        return
    left = [p for p in audited.inventory.parameters if p.name not in audited.places]
    trained = [p for p in left if p.trainable]
    unknown = [p for p in left if p.trainable is None]
    if any(ADAPTER.search(name) for name in audited.places):  # the base model is frozen
        unknown = [p for p in unknown if ADAPTER.search(p.name)]
    if trained:
        verb = "is" if len(trained) == 1 else "are"
        yield Finding(
            CODE,
            f"{count_phrase(trained)} {verb} trainable and in no group: no step changes"
            f" {'it' if len(trained) == 1 else 'them'} (`{trained[0].name}`)",
            parameters=tuple(p.name for p in trained),
            help="add them to a group, or freeze them: `requires_grad_(False)`",
        )
    if unknown:
        yield Finding(
            CODE,
            f"{count_phrase(unknown)} of the model {'is' if len(unknown) == 1 else 'are'} in no"
            f" group: frozen, or forgotten (`{unknown[0].name}`)",
            parameters=tuple(p.name for p in unknown),
            help="audit the live optimizer, whose model shows which parameters are frozen:"
            " `grouper.audit(optimizer, model)`",
            severity_override=Severity.NOTE,
        )
