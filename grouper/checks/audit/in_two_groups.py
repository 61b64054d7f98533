"""A parameter is in two groups, or twice in one.

Each step updates it twice, with two learning rates. torch rejects this when an optimizer is built,
but does not check groups that are changed later, or two optimizers.

    optimizer.param_groups[0]["params"].append(model.head.weight)   # bad: another group has it
    optimizer.add_param_group({"params": [model.head.weight]})      # good: rejected by torch
"""

from __future__ import annotations

from collections.abc import Iterator

from grouper.checks.audit.audited import Audited, AuditedGroup, group_list
from grouper.text.findings import Code, Finding, Severity
from grouper.text.printable import count_phrase

CODE = Code("GR602", "in-two-groups", Severity.ERROR, __doc__ or "")


def check(audited: Audited) -> Iterator[Finding]:
    """One finding for each set of groups that share parameters."""
    shared: dict[tuple[str, ...], tuple[tuple[AuditedGroup, ...], list[str]]] = {}
    for name, groups in audited.places.items():
        if len(groups) > 1:
            key = tuple(group.name for group in groups)
            shared.setdefault(key, (groups, []))[1].append(name)
    for groups, names in shared.values():
        one = len({group.name for group in groups}) == 1
        where = f"{len(groups)} times in {group_list(groups[:1])}" if one else group_list(groups)
        yield Finding(
            CODE,
            f"{count_phrase(names)} {'is' if len(names) == 1 else 'are'} {'' if one else 'in '}"
            f"{where}: each step updates {'it' if len(names) == 1 else 'them'} {len(groups)} times",
            parameters=tuple(names),
            help="put each parameter into only one group",
        )
