"""The only file that touches live parameters: groups and optimizers of a real model."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grouper.grouping import Group, Grouping
from grouper.optimizers import Optimizers
from grouper.ruleset import model as ruleset

NAMED = tuple(map(int, torch.__version__.split("+")[0].split(".")[:2])) >= (2, 6)


class ParamGroups(list[dict[str, Any]]):
    """Parameter groups for any torch optimizer. Building them froze what the rules freeze;
    `unfreeze()` takes that back."""

    def __init__(self, groups: Iterable[dict[str, Any]], frozen: tuple[Tensor, ...]) -> None:
        super().__init__(groups)
        self.frozen = frozen

    def unfreeze(self) -> None:
        """Let the parameters that the rules froze require gradients again."""
        for tensor in self.frozen:
            tensor.requires_grad_(True)


def bind(model: nn.Module, grouping: Grouping) -> ParamGroups:
    """The groups with the model's own tensors, named as the inventory names them."""
    tensors = dict(model.named_parameters(remove_duplicate=False))
    frozen = tuple(tensors[p.stored] for p in grouping.frozen if p.trainable is not False)
    for tensor in frozen:
        tensor.requires_grad_(False)
    return ParamGroups([_bound(group, tensors) for group in grouping.groups], frozen)


def _bound(group: Group, tensors: dict[str, nn.Parameter]) -> dict[str, Any]:
    params = [
        (parameter.name, tensors[parameter.stored]) if NAMED else tensors[parameter.stored]
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
    chosen = [group.optimizer for group in grouping.groups]
    members = {}
    for declared in rules.optimizers:
        name = declared.alias or declared.name
        mine = [g for g, wanted in zip(groups, chosen, strict=True) if wanted == name]
        if mine:
            members[name] = _built(declared, mine)
    if not members:
        raise ValueError("the rules leave no parameter to train")
    if len(members) == 1:
        return next(iter(members.values()))
    return Optimizers(members, [group.name for group in grouping.groups])


def _built(declared: ruleset.Optimizer, groups: list[dict[str, Any]]) -> Optimizer:
    cls = _class(declared.name)
    try:
        built = cls(groups, **declared.options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{declared.name}` refuses its groups: {error}") from error
    if not isinstance(built, Optimizer):
        raise ValueError(f"`{declared.name}` is no torch optimizer")
    _only_its_own(built, declared)
    return built


def _only_its_own(built: Optimizer, declared: ruleset.Optimizer) -> None:
    """Take from the groups what the optimizer keeps for itself, as MuSGD keeps `muon` and `sgd`:
    its groups are then those that it makes of its own arguments."""
    for key in declared.options.keys() - built.defaults.keys():
        for group in built.param_groups:
            group.pop(key, None)


def _class(name: str) -> Any:
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
