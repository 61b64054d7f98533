"""The rules' groups with the parameters of a live model, and the optimizers that take them."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grouper.group.grouping import Group, Grouping
from grouper.language import ruleset as ruleset
from grouper.model.live import inventory_of, parameters_of
from grouper.train.chained_optimizer import Optimizers

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


def optimizer_of(groups: ParamGroups, grouping: Grouping, rules: ruleset.RuleSet) -> Optimizer:
    """The optimizer that the rules declare, or several as one.

    Raises ValueError where none is declared, it cannot be found, or it refuses its options.
    """
    if not rules.optimizers:
        raise ValueError(
            "the rules name no optimizer: add a line such as `optimizer SGD lr=0.01`, or give"
            " param_groups() to an optimizer of your own"
        )
    if not groups:
        raise ValueError("the rules leave no parameter to train")
    members: dict[str, list[dict[str, Any]]] = {}
    for built, group in zip(groups, grouping.groups, strict=True):
        members.setdefault(group.optimizer or "", []).append(built)
    declared = {o.alias or o.name: o for o in rules.optimizers}
    made = {name: _built(declared[name], members[name]) for name in declared if name in members}
    if len(made) == 1:
        optimizer = next(iter(made.values()))
    else:
        optimizer = Optimizers(made, [group.name for group in grouping.groups])
    vars(optimizer)["unfreeze"] = groups.unfreeze  # a name that torch's class does not declare
    return optimizer


def _built(declared: ruleset.Optimizer, groups: list[dict[str, Any]]) -> Optimizer:
    return construct(class_of(declared.name), groups, declared.options)


def construct(cls: Any, groups: list[dict[str, Any]], options: Mapping[str, Any]) -> Optimizer:
    """An optimizer of a class. Raises ValueError where that refuses what it is given.

    What the optimizer keeps for itself, as MuSGD keeps `muon` and `sgd`, is taken from the groups:
    they are then those that it makes of its own arguments.
    """
    name = getattr(cls, "__name__", str(cls))
    try:
        built = cls(groups, **options)
    except (TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ValueError(f"`{name}` refuses its groups: {error}") from error
    if not isinstance(built, Optimizer):
        raise ValueError(f"`{name}` is no torch optimizer")
    for key in options.keys() - built.defaults.keys():
        for group in built.param_groups:
            group.pop(key, None)
    return built


def class_of(name: str) -> Any:
    """The class that an `optimizer` statement names. Raises ValueError where there is none."""
    if ":" not in name:
        cls = getattr(torch.optim, name, None)
        if isinstance(cls, type) and issubclass(cls, Optimizer):
            return cls
        raise ValueError(
            f"torch.optim has no optimizer `{name}`; another package's is written"
            " `package.module:Class`"
        )
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"the optimizer `{name}` cannot be imported: {error}") from error
    return found
