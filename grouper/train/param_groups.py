"""The rules' groups with the parameters of a live model, and the optimizers that take them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.language import ruleset as ruleset
from grouper.model.live import inventory_of, parameters_of

NAMED = tuple(map(int, torch.__version__.split("+")[0].split(".")[:2])) >= (2, 6)


class ParamGroups(list[dict[str, Any]]):
    """Parameter groups for any torch optimizer. Building them froze what the rules freeze;
    `unfreeze()` takes that back."""

    def __init__(self, groups: Iterable[dict[str, Any]], frozen: tuple[Tensor, ...]) -> None:
        super().__init__(groups)
        self.frozen = frozen

    def unfreeze(self) -> None:
        """Let what binding froze require gradients again; what was frozen before stays so."""
        for tensor in self.frozen:
            tensor.requires_grad_(True)


def bind(model: nn.Module, grouping: Grouping) -> ParamGroups:
    """The groups with the model's own tensors, named as the inventory names them.

    Raises ValueError, and leaves the model as it is, where the grouping is that of another model.
    """
    tensors = tensors_of(model, grouping)
    for parameter in (parameter for call in grouping.thawed for parameter in call):
        tensors[parameter.name].requires_grad_(True)
    frozen = tuple(t for p in grouping.frozen if (t := tensors[p.name]).requires_grad)
    for tensor in frozen:
        tensor.requires_grad_(False)
    return ParamGroups([bound(group, tensors) for group in grouping.groups], frozen)


def tensors_of(model: nn.Module, grouping: Grouping) -> dict[str, nn.Parameter]:
    """The model's parameters by each of their names, wrappers unseen."""
    stored = dict(parameters_of(model))
    named = {n: stored[p.stored] for p in inventory_of(model).parameters for n in p.names}
    parameters = [p for group in grouping.groups for p in group.parameters]
    known = {name for p in (*parameters, *grouping.frozen, *grouping.unmatched) for name in p.names}
    other = next((f"lacks `{name}`" for name in sorted(known - set(named))), None) or next(
        (f"also has `{name}`" for name in named if name not in known), None
    )
    if other is not None:
        raise ValueError(f"the report is not of this model, which {other}: check this model")
    return named


def bound(group: Group, tensors: dict[str, nn.Parameter]) -> dict[str, Any]:
    """A group as torch takes it."""
    params = [
        (parameter.name, tensors[parameter.name]) if NAMED else tensors[parameter.name]
        for parameter in group.parameters
    ]
    return {"params": params, "name": group.name, **group.options}
