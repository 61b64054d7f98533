"""A key of a group is not read by the optimizer's step.

torch's optimizers accept any key. A factor of the lr that only another tool applies (`lr_scale`,
`lr_mult`) or a misspelt option silently has no effect, which is a warning. Other keys may be for
other readers of the groups, such as a trainer, which is a note. To find such keys, grouper runs
steps of stand-in optimizers whose groups record the keys that are read.

    groups = [{"params": model.head.parameters(), "lr_mult": 10}]
    optimizer = torch.optim.SGD(groups, lr=0.1)                     # bad: `lr_mult` does nothing

    groups = [{"params": model.head.parameters(), "lr": 1.0}]
    optimizer = torch.optim.SGD(groups, lr=0.1)                     # good
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from grouper.checks.audit.audited import NAMES, OF_SCHEDULERS, Audited, AuditedGroup, group_list
from grouper.options.foreign import FOREIGN
from grouper.options.misspelt import misspelt
from grouper.text.findings import Code, Finding, Severity
from grouper.text.similar import did_you_mean

CODE = Code("GR605", "unread-key", Severity.WARNING, __doc__ or "")
FACTORS = tuple(word for word, row in FOREIGN.items() if row.operator == "*=" and row.key == "lr")
_OF_TIMM = "lr_scale"


def check(audited: Audited) -> Iterator[Finding]:
    """One finding for each key of an optimizer's groups without a known reader."""
    by_key: dict[tuple[int, str], list[AuditedGroup]] = {}
    for group in audited.groups:
        # For a checkpoint, only factors of the lr can be checked, by the groups' rates.
        keys = FACTORS if group.unread is None else group.unread
        for key in keys:
            if key in group.options and not _is_for_others(key, group):
                by_key.setdefault((id(group.optimizer), key), []).append(group)
    for (_, key), groups in by_key.items():
        several = len({group.options[key] for group in groups}) > 1
        is_known = several or groups[0].unread is not None
        if key not in FACTORS or (is_known and not _is_applied(key, groups)):
            yield _finding(key, groups)


def _is_for_others(key: str, group: AuditedGroup) -> bool:
    """Whether a key is a name, belongs to a scheduler, or is set by the class itself."""
    of_class = key in group.optimizer.defaults or key in group.signature.options
    return key in (*NAMES, *OF_SCHEDULERS) or of_class


def _is_applied(key: str, groups: Sequence[AuditedGroup]) -> bool:
    """Whether the rates are proportional to the factors, so that something applies them."""
    pairs = [(group.options.get("lr"), group.options.get(key)) for group in groups]
    ratios = [
        lr / factor
        for lr, factor in pairs
        if isinstance(lr, int | float) and isinstance(factor, int | float) and factor
    ]
    several = len({factor for _, factor in pairs}) > 1
    return several and all(math.isclose(ratio, ratios[0], rel_tol=1e-6) for ratio in ratios[1:])


def _finding(key: str, groups: Sequence[AuditedGroup]) -> Finding:
    optimizer = groups[0].optimizer.optimizer or "the optimizer"
    wrong = key in FOREIGN or misspelt(key) is not None
    reason = f"`{optimizer}` does not read it"
    if key in FACTORS:
        reason = "no lr is multiplied by it"
    by_timm = ("timm's schedulers apply it at their first step; torch's do not",)
    return Finding(
        CODE,
        f"`{key}` of {group_list(groups)} has no effect: {reason}",
        parameters=tuple(name for group in groups for name in group.group.parameters),
        notes=by_timm if key == _OF_TIMM else (),
        help=_help(key, groups[0]),
        severity_override=None if wrong else Severity.NOTE,
    )


def _help(key: str, group: AuditedGroup) -> str:
    if key in FACTORS:
        return f"multiply the lr when the groups are created: `lr=base * {key}`"
    options = group.signature.options
    translation = FOREIGN[key].key if key in FOREIGN else None
    if translation in options:
        return f"the option is called `{translation}`"
    near = did_you_mean(key, options) if misspelt(key) is not None else None
    return near or "remove it, unless another program reads it"
