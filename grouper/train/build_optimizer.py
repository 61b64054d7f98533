"""The optimizers that the rules declare, built from their groups."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import Optimizer

from grouper.group.grouping import Grouping
from grouper.language import ruleset
from grouper.train.chained_optimizer import ChainedOptimizer
from grouper.train.param_groups import ParamGroups


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
    declared = rules.optimizers_by_name
    made = {name: _built(declared[name], members[name]) for name in declared if name in members}
    if len(made) == 1:
        optimizer = next(iter(made.values()))
    else:
        optimizer = ChainedOptimizer(made, [group.name for group in grouping.groups])
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
