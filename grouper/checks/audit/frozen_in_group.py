"""A frozen parameter is in a group.

It has no gradient, so steps skip it. If all parameters of a group are frozen, the group has no
effect, which is a warning. A parameter that is frozen after some steps still decays and moves by
its momentum if gradients are set to zero instead of None.

    model.backbone.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)         # a note: also the backbone

    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.1)                    # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.audit.audited import Audited, AuditedGroup, group_list
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR603", "frozen-in-group", Severity.NOTE, __doc__ or "")
_HELP = "build the optimizer from `[p for p in model.parameters() if p.requires_grad]`"


def check(audited: Audited) -> Iterator[Finding]:
    """A warning for groups that are completely frozen, and a note for other frozen parameters."""
    whole: list[tuple[AuditedGroup, list[str]]] = []
    partly: list[tuple[AuditedGroup, list[str]]] = []
    for group in audited.groups:
        frozen = [p for p in audited.parameters(group) if p.trainable is False]
        if frozen:
            alone = len(frozen) == len(set(group.group.parameters)) and not group.group.strays
            (whole if alone else partly).append((group, [p.name for p in frozen]))
    for groups, severity in ((whole, Severity.WARNING), (partly, Severity.NOTE)):
        if not groups:
            continue
        names = tuple(name for _, members in groups for name in members)
        where = group_list([group for group, _ in groups])
        is_or_are = "is" if len(groups) == 1 else "are"
        yield Finding(
            CODE,
            f"{where} {is_or_are} completely frozen ({count_phrase(names)})"
            if severity is Severity.WARNING
            else f"{count_phrase(names)} in {where} {'is' if len(names) == 1 else 'are'} frozen",
            parameters=names,
            help=_HELP,
            severity_override=severity,
        )
