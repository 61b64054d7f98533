"""The groups of a grouping with the tensors of a live model, as torch's optimizers take them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from grouper.group.group import Group
from grouper.text.printable import count_phrase
from grouper.text.shown import Shown, line
from grouper.train.data_parallel import check_buckets
from grouper.train.part import Part
from grouper.train.wrapped import distributed_is_running

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


def bind(part: Part, *, names: bool = True) -> ParamGroups:
    """The groups with the model's own tensors, named as in its inventory (see `bound`).

    Raises ValueError, and changes nothing, where a DistributedDataParallel of the model was
    constructed for other trainable parameters.
    """
    grouping, tensor_of = part.grouping, part.tensor
    if distributed_is_running():
        check_buckets(
            {p.name: tensor_of(p) for group in grouping.groups for p in group.parameters},
            {parameter.name: tensor_of(parameter) for parameter in grouping.frozen},
        )
    for parameter in (parameter for call in grouping.unfrozen for parameter in call):
        tensor_of(parameter).requires_grad_(True)
    frozen = tuple(t for p in grouping.frozen if (t := tensor_of(p)).requires_grad)
    for tensor in frozen:
        tensor.requires_grad_(False)
    return ParamGroups([bound(g, part, names=names) for g in grouping.groups], frozen)


def bound(group: Group, part: Part, *, names: bool = True) -> dict[str, Any]:
    """A group as torch's optimizers take it: a dict of `params`, `name` and the options.

    Without `names`, the tensors are bare and the group has no `name`.
    """
    tensors = [part.tensor(parameter) for parameter in group.parameters]
    if not names:
        return {"params": tensors, **group.options}
    labels = (parameter.name for parameter in group.parameters)
    params = list(zip(labels, tensors, strict=True)) if TAKES_NAMES else tensors
    return {"params": params, "name": group.name, **group.options}
