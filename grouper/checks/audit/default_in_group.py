"""A group has the default weight decay of the optimizer's class, probably by mistake.

The default of torch's AdamW is 0.01 for groups that do not set it. If other groups have another
decay, or if the group has only biases and norms, the default is probably unintended.

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
    """One finding for each group with the class's default, if other groups have another decay."""
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
                f" `{group.optimizer.optimizer}`; other groups have another decay",
                parameters=group.group.parameters,
                help="set it explicitly: `weight_decay=0`, or"
                f" `weight_decay={value_text(default)}`",
            )


def _was_left(group: AuditedGroup, default: object) -> bool:
    """Whether the optimizer was built without an explicit decay, as far as that is known."""
    defaults = group.optimizer.defaults
    return KEY not in defaults or defaults[KEY] == default
