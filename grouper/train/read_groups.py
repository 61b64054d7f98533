"""The groups of live optimizers, with the names that their model has for the tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grouper.group.match_groups import match_groups
from grouper.group.optimizer_groups import OptimizerGroup, OptimizerGroups
from grouper.model.contents.saved_groups import OWN_KEYS, SavedGroup, SavedGroups, SavedTensor
from grouper.model.inventory import Inventory
from grouper.model.live import tensors_of
from grouper.options.read_only import ReadOnly
from grouper.options.values import Value
from grouper.train.wrapped import torch_optimizer

_HALVES = {"float16", "bfloat16"}


def read_groups(
    optimizers: Sequence[object], model: nn.Module, inventory: Inventory
) -> tuple[OptimizerGroups, ...]:
    """The groups of each optimizer; those of grouper that hold several give one for each of these.

    `inventory` is that of `model`. A tensor is the model's where it is the same object. Where none
    is, as with the float32 copies of mixed precision, names decide, else order and shape.
    """
    tensors = tensors_of(model)
    known = (p.name for p in inventory.parameters if p.name in tensors)
    names = {id(tensors[name]): name for name in known}
    return tuple(_read(one, names, inventory) for one in members_of(optimizers))


def members_of(optimizers: Sequence[object]) -> list[Optimizer]:
    """The optimizers of torch inside what was given: wrappers taken off, several told apart."""
    inner = [torch_optimizer(optimizer) for optimizer in optimizers]
    members = [getattr(one, "members", None) for one in inner]
    return [
        member
        for one, several in zip(inner, members, strict=True)
        for member in (several.values() if isinstance(several, dict) else [one])
    ]


def _read(optimizer: Optimizer, names: Mapping[int, str], inventory: Inventory) -> OptimizerGroups:
    groups = tuple(_group(group, names) for group in optimizer.param_groups)
    name, defaults = class_name(optimizer), options_of(optimizer.defaults)
    if _are_copies(groups, optimizer, inventory):
        saved = tuple(SavedGroup(group.options, group.strays) for group in groups)
        (other,) = match_groups([SavedGroups(saved, "")], inventory)
        if any(group.parameters for group in other.groups):
            return OptimizerGroups(other.groups, other.named, name, defaults)
    return OptimizerGroups(groups, True, name, defaults)


def _are_copies(
    groups: Sequence[OptimizerGroup], optimizer: Optimizer, inventory: Inventory
) -> bool:
    """Whether no tensor is the model's, and all may be float32 copies of a model in half of it."""
    if any(group.parameters for group in groups):
        return False
    dtypes = {tensor.dtype for group in optimizer.param_groups for tensor in group["params"]}
    halved = {parameter.dtype for parameter in inventory.parameters} <= _HALVES
    return dtypes == {torch.float32} and halved


def _group(group: Mapping[str, Any], names: Mapping[int, str]) -> OptimizerGroup:
    params = list(group["params"])
    given = group.get("param_names") or ()
    own = list(given) if len(given) == len(params) else [None] * len(params)
    return OptimizerGroup(
        options_of(group),
        tuple(names[id(tensor)] for tensor in params if id(tensor) in names),
        tuple(
            SavedTensor(name, tuple(tensor.shape))
            for name, tensor in zip(own, params, strict=True)
            if id(tensor) not in names
        ),
    )


def class_name(optimizer: Optimizer) -> str:
    """An optimizer's class as rules name it: `AdamW`, or `package.module:Class`."""
    cls = type(optimizer)
    if cls.__module__.startswith("torch.optim."):
        return cls.__qualname__
    return f"{cls.__module__}:{cls.__qualname__}"


def options_of(group: Mapping[str, Any]) -> Mapping[str, Value]:
    """The keys of a group whose values are options as rules have them."""
    found = {key: _value(value) for key, value in group.items() if key not in OWN_KEYS}
    return ReadOnly({key: value[0] for key, value in found.items() if value is not None})


def _value(value: object) -> tuple[Value] | None:
    """The value of an option in a tuple; None for anything else: a function, a large tensor."""
    if value is None or type(value) in (bool, int, float, str):
        return (value,)  # type: ignore[return-value]
    if isinstance(value, list | tuple):
        items = [_value(item) for item in value]
        found = tuple(item[0] for item in items if item is not None)
        return (found,) if len(found) == len(items) else None
    if isinstance(value, Tensor):
        single = value.numel() == 1 and not value.is_meta
        return (value.item(),) if single else None
    if isinstance(value, bool | int | float | str):  # numpy's float64, an enumeration
        return (float(value) if isinstance(value, float) else str(value),)
    item = getattr(value, "item", None)  # numpy's other numbers
    return _value(item()) if callable(item) and getattr(value, "shape", None) == () else None
