"""Names of an optimizer's groups and parameters, however it was built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grouper.group.group import unique
from grouper.monitor.record import GroupFacts

Groups = Sequence[Mapping[str, Any]]


def group_names(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """Each group's `name`, else Ultralytics' `param_group`, else its number; `#2` for a second."""
    names: set[str] = set()
    return [
        unique(str(group.get("name") or group.get("param_group") or f"group {index}"), names)
        for index, group in enumerate(groups)
    ]


def parameter_names(groups: Groups, known: Mapping[Any, str] | None = None) -> dict[str, Any]:
    """Tensors by the optimizer's own names for them, else those in `known`, else by number."""
    tensors: dict[str, Any] = {}
    for name, group in zip(group_names(groups), groups, strict=True):
        labels = group.get("param_names") or [
            (known or {}).get(tensor) or f"{name}[{number}]"
            for number, tensor in enumerate(group["params"])
        ]
        tensors.update(zip(labels, group["params"], strict=True))
    return tensors


def group_facts(groups: Groups, rules: Mapping[str, str | None]) -> dict[str, GroupFacts]:
    """The size of each group, and the place of the rule that set its lr, from `rules` by name."""
    return {
        name: GroupFacts(
            len(group["params"]), sum(t.numel() for t in group["params"]), rules.get(name)
        )
        for name, group in zip(group_names(groups), groups, strict=True)
    }
