"""The names of what the monitor watches, whoever built the optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from grouper.monitor.record import GroupFacts

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from grouper.train.plan import Plan

MOST_WRAPPERS = 8


def watchable(optimizer: Any) -> Optimizer:
    """The torch optimizer behind what wraps it (as Accelerate's and Lightning's do).

    Raises TypeError where there is none, and ValueError where its parameters have no values yet.
    """
    from torch.optim import Optimizer

    found, wrappers = optimizer, 0
    while (inner := getattr(found, "optimizer", None)) is not None and wrappers < MOST_WRAPPERS:
        found, wrappers = inner, wrappers + 1
    if not isinstance(found, Optimizer):
        raise TypeError(f"the monitor watches a torch optimizer, not a {type(optimizer).__name__}")
    for name, parameter in parameter_names(found.param_groups).items():
        if parameter.is_meta:
            raise ValueError(
                f"`{name}` is on the meta device and has no values: build the optimizer when the"
                " model has its weights"
            )
    return found


def group_names(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each group's `name`, what Ultralytics calls it, or its number; `#2` behind a second one."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for index, group in enumerate(groups):
        base = str(group.get("name") or group.get("param_group") or f"group {index}")
        seen[base] = seen.get(base, 0) + 1
        names.append(base if seen[base] == 1 else f"{base}#{seen[base]}")
    return names


def parameter_names(
    groups: list[dict[str, Any]], known: Mapping[Any, str] | None = None
) -> dict[str, Tensor]:
    """Parameters by the names that the optimizer has for them, that `known` has, or by number."""
    found: dict[str, Tensor] = {}
    for name, group in zip(group_names(groups), groups, strict=True):
        labels = group.get("param_names") or [
            (known or {}).get(parameter) or f"{name}[{number}]"
            for number, parameter in enumerate(group["params"])
        ]
        found.update(zip(labels, group["params"], strict=True))
    return found


def facts(groups: list[dict[str, Any]], plan: Plan | None) -> dict[str, GroupFacts]:
    """What stays the same about each group."""
    rules = {group.name: group.place for group in plan.groups} if plan else {}
    return {
        name: GroupFacts(
            len(group["params"]), sum(p.numel() for p in group["params"]), rules.get(name)
        )
        for name, group in zip(group_names(groups), groups, strict=True)
    }


def refuse_other_plan(groups: list[dict[str, Any]], plan: Any) -> None:
    """Raises TypeError where `plan` is none, and ValueError where it plans other groups."""
    from grouper.train.plan import Plan

    if not isinstance(plan, Plan):
        given = type(plan).__name__
        raise TypeError(f"the monitor takes the plan that grouper.plan() gives, not a {given}")
    planned = {group.name for group in plan.groups}
    present = set(group_names(groups))
    said = [
        f"{words} " + ", ".join(f"`{name}`" for name in sorted(names))
        for words, names in (
            ("the optimizer lacks", planned - present),
            ("the plan knows nothing of", present - planned),
        )
        if names
    ]
    if said:
        raise ValueError(
            f"the optimizer's groups are not the plan's: {'; '.join(said)}; build both from the"
            " same rules and model"
        )
