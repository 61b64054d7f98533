"""The groups of a grouping with the tensors of a live model, as torch's optimizers take them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from grouper.group.group import Group
from grouper.group.grouping import Grouping
from grouper.model.live import inventory_of, parameters_of
from grouper.text.printable import count_phrase
from grouper.text.shown import Shown, line
from grouper.train.data_parallel import check_buckets

TAKES_NAMES = tuple(map(int, torch.__version__.split("+")[0].split(".")[:2])) >= (2, 6)


class ParamGroups(Shown, list[dict[str, Any]]):
    """Parameter groups for any torch optimizer: one dict a group, with `params` and options.

    Making them set `requires_grad=False` on what the rules freeze; `unfreeze()` undoes that.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], frozen: tuple[Tensor, ...]) -> None:
        super().__init__(groups)
        self.frozen = frozen

    def __repr__(self) -> str:
        tensors = sum(len(group["params"]) for group in self)
        return line(self, f"{count_phrase(self, 'group')}, {tensors} tensors")

    def unfreeze(self) -> None:
        """Set `requires_grad=True` on what making the groups froze, and on nothing else."""
        for tensor in self.frozen:
            tensor.requires_grad_(True)


def bind(model: nn.Module, grouping: Grouping) -> ParamGroups:
    """The groups with the model's own tensors, named as in its inventory.

    Raises ValueError, and changes nothing, where the grouping was made of another model, and where
    a DistributedDataParallel of the model was constructed for other trainable parameters.
    """
    tensors = tensors_of(model, grouping)
    trained = [parameter for group in grouping.groups for parameter in group.parameters]
    check_buckets(
        {parameter.name: tensors[parameter.name] for parameter in trained},
        {parameter.name: tensors[parameter.name] for parameter in grouping.frozen},
    )
    for parameter in (parameter for call in grouping.thawed for parameter in call):
        tensors[parameter.name].requires_grad_(True)
    frozen = tuple(t for p in grouping.frozen if (t := tensors[p.name]).requires_grad)
    for tensor in frozen:
        tensor.requires_grad_(False)
    return ParamGroups([bound(group, tensors) for group in grouping.groups], frozen)


def tensors_of(model: nn.Module, grouping: Grouping) -> dict[str, nn.Parameter]:
    """The model's parameters by every name they have, without the names of wrappers.

    Raises ValueError where the model and the grouping have different parameters.
    """
    stored = dict(parameters_of(model))
    named = {n: stored[p.stored] for p in inventory_of(model).parameters for n in p.names}
    parameters = [p for group in grouping.groups for p in group.parameters]
    known = {name for p in (*parameters, *grouping.frozen, *grouping.unmatched) for name in p.names}
    difference = next((f"lacks `{name}`" for name in sorted(known - set(named))), None) or next(
        (f"also has `{name}`" for name in named if name not in known), None
    )
    if difference is not None:
        raise ValueError(
            f"the report was made of another model: this one {difference}; call"
            " `grouper.check(model, rules)` on this model"
        )
    return named


def bound(group: Group, tensors: dict[str, nn.Parameter]) -> dict[str, Any]:
    """A group as torch's optimizers take it: a dict of `params`, `name` and the options."""
    params = [
        (parameter.name, tensors[parameter.name]) if TAKES_NAMES else tensors[parameter.name]
        for parameter in group.parameters
    ]
    return {"params": params, "name": group.name, **group.options}
