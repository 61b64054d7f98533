"""The default weight decay of the optimizer's class is in a group that nobody meant to decay by it.

torch's AdamW decays by 0.01 where a group says nothing. Where other groups have another decay, or
the group has biases and norms alone, the default has probably come by itself.

    groups = [{"params": [model.head.weight], "weight_decay": 0.05}, {"params": [model.head.bias]}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)              # bad: the bias decays by 0.01

    groups = [
        {"params": [model.head.weight], "weight_decay": 0.05},
        {"params": [model.head.bias], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3)                  # good
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.audit.audited import Audited, AuditedGroup
from grouper.options.values import value_text
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR606", "default-in-group", Severity.WARNING, __doc__ or "")
KEY = "weight_decay"


def check(audited: Audited) -> Iterator[Finding]:
    """One finding for each group that has the class's default beside groups with another decay."""
    for group in audited.groups:
        default = group.signature.defaults.get(KEY)
        if not default or group.options.get(KEY) != default or not _was_left(group, default):
            continue
        others = {
            other.options.get(KEY)
            for other in audited.groups
            if other.optimizer is group.optimizer and other.group.parameters
        }
        meant_otherwise = any(other and other != default for other in others)
        vectors = not audited.is_guessed and all(
            (p.ndim or 2) <= 1 for p in audited.parameters(group)
        )
        if group.group.parameters and len(others) > 1 and (meant_otherwise or vectors):
            what = "biases and norms" if vectors else count_phrase(group.group.parameters)
            yield Finding(
                CODE,
                f"`{group.name}` decays {what} by {value_text(default)}, the default of"
                f" `{group.optimizer.optimizer}`; other groups have theirs",
                parameters=group.group.parameters,
                help=f"give the group the decay that is meant: `weight_decay=0`, or"
                f" `weight_decay={value_text(default)}`",
            )


def _was_left(group: AuditedGroup, default: object) -> bool:
    """Whether the optimizer as a whole was given no decay of its own, as far as that is known."""
    given = group.optimizer.defaults
    return KEY not in given or given[KEY] == default
